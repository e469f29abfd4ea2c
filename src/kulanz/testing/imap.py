"""A mailbox that speaks IMAP4rev1 over a real socket, as far as reading one needs: RFC 3501.

It knows CAPABILITY, NOOP, LOGIN, SELECT, UID SEARCH UNSEEN, UID FETCH BODY.PEEK[]<0.n>, UID STORE +FLAGS and LOGOUT.
"""

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

_COMMAND = re.compile(rb"(\S+) (UID )?(\S+) ?(.*)", re.DOTALL)
_LOGIN = re.compile(r'"?([^"\s]+)"? "?([^"]+?)"?')
_FETCH = re.compile(r"(\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)")
_STORE = re.compile(r"(\d+) \+FLAGS(?:\.SILENT)? \((.*)\)")


@dataclass
class StoredMail:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


@dataclass
class ImapMailbox:
    """What a server keeps. `breaks_at` names a command at which the connection breaks off, as networks do."""

    user: str = "inbox"
    password: str = "a secret/word"  # noqa: S105 - of the simulator
    port: int = 0
    breaks_at: str = ""
    mails: list[StoredMail] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"imap://{self.user}:{quote(self.password, safe='')}@127.0.0.1:{self.port}/INBOX"

    def deliver(self, raw: bytes) -> StoredMail:
        mail = StoredMail(len(self.mails) + 1, raw)
        self.mails.append(mail)
        return mail

    @property
    def unseen(self) -> list[int]:
        return [mail.uid for mail in self.mails if "\\Seen" not in mail.flags]

    def find(self, uid: int) -> StoredMail | None:
        return next((mail for mail in self.mails if mail.uid == uid), None)


@contextmanager
def serving(mailbox: ImapMailbox) -> Iterator[ImapMailbox]:
    """Serve the mailbox on a free port of this machine."""
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(mailbox))
    server.daemon_threads = True
    mailbox.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield mailbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(mailbox: ImapMailbox) -> type[socketserver.StreamRequestHandler]:
    class Conversation(_Conversation):
        box = mailbox

    return Conversation


class _Conversation(socketserver.StreamRequestHandler):
    box: ImapMailbox

    def handle(self) -> None:
        self._state = "greeted"
        self._say(b"* OK ready")
        while line := self.rfile.readline():
            found = _COMMAND.fullmatch(line.rstrip(b"\r\n"))
            if found is None:
                self._say(b"* BAD what?")
                continue
            tag, name = found[1], (found[2] or b"").decode() + found[3].decode("ascii", "replace").upper()
            self.box.commands.append(name)
            if name == self.box.breaks_at:
                return
            self._say(tag + b" " + self._do(name, found[4].decode("utf-8", "replace")))
            if name == "LOGOUT":
                return

    def _do(self, name: str, rest: str) -> bytes:
        if name in {"CAPABILITY", "NOOP", "LOGOUT"}:
            if name != "NOOP":
                self._say(b"* CAPABILITY IMAP4rev1" if name == "CAPABILITY" else b"* BYE")
            return b"OK done"
        if name == "LOGIN":
            return self._login(rest)
        if self._state == "greeted":
            return b"NO log in first"
        if name == "SELECT":
            return self._select(rest)
        commands = {"UID SEARCH": self._search, "UID FETCH": self._fetch, "UID STORE": self._store}
        if name in commands and self._state == "selected":
            return commands[name](rest)
        return b"BAD not known here"

    def _login(self, rest: str) -> bytes:
        found = _LOGIN.fullmatch(rest)
        if found is None or (found[1], found[2]) != (self.box.user, self.box.password):
            return b"NO [AUTHENTICATIONFAILED] wrong"
        self._state = "known"
        return b"OK welcome"

    def _select(self, rest: str) -> bytes:
        if rest.strip('"') != "INBOX":
            return b"NO no such folder"
        self._state = "selected"
        self._say(f"* {len(self.box.mails)} EXISTS".encode())
        self._say(b"* OK [UIDVALIDITY 1]")
        return b"OK [READ-WRITE] done"

    def _search(self, rest: str) -> bytes:
        if rest != "UNSEEN":
            return b"BAD only UNSEEN"
        self._say(" ".join(["* SEARCH", *map(str, self.box.unseen)]).encode())
        return b"OK done"

    def _fetch(self, rest: str) -> bytes:
        found = _FETCH.fullmatch(rest)
        if found is None:
            return b"BAD only BODY.PEEK[]<0.n>"
        mail = self.box.find(int(found[1]))
        if mail is not None:
            raw = mail.raw[: int(found[2])]
            self._say(f"* {mail.uid} FETCH (UID {mail.uid} BODY[]<0> {{{len(raw)}}}".encode(), raw + b")")
        return b"OK done"

    def _store(self, rest: str) -> bytes:
        found = _STORE.fullmatch(rest)
        if found is None:
            return b"BAD only +FLAGS"
        mail = self.box.find(int(found[1]))
        if mail is not None:
            mail.flags |= set(found[2].split())
        return b"OK done"

    def _say(self, line: bytes, literal: bytes = b"") -> None:
        self.wfile.write(line + b"\r\n" + (literal + b"\r\n" if literal else b""))
