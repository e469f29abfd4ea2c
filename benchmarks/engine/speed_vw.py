"""Vowpal Wabbit's squarecb at its best: the command line over its own cache, and examples made beforehand.

Two texts of the same model: the context shared by all actions and crossed with them by `-q sa`, as its manual
shows, and crossed in the text itself, eight to forty times as long and quicker to decide. A vetoed action is left
out of the example. The starting of the program is measured on an empty file and taken off. It writes the
probabilities; drawing from them would be the caller's, and is not measured.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import vowpalwabbit

from engine.data import Bools, Singles
from engine.peers_vw import named, shared_lines
from engine.results import Decided, Learned
from engine.scene import Scene, cpu_seconds

COMMAND_ROWS = {8: 20_000, 48: 4_000, 200: 1_500}
PYTHON_ROWS = {8: 4_000, 48: 800, 200: 200}
TEACH = 2_000
BASE = ("--cb_explore_adf", "--squarecb", "--quiet")
TEXTS: dict[str, tuple[str, ...]] = {"-q sa": ("-q", "sa", "--ignore_linear", "s"), "crossed text": ()}


def decide(scene: Scene) -> Iterator[Decided]:
    """Both ways with both texts; fewer rows than the others decide, as each of them takes much longer."""
    for kind in TEXTS:
        yield by_command(scene.first(COMMAND_ROWS[scene.actions]), kind)
        yield by_python(scene.first(PYTHON_ROWS[scene.actions]), kind)


def by_command(scene: Scene, kind: str) -> Decided:
    with TemporaryDirectory(prefix="kulanz-vw-") as folder:
        seconds = _command_seconds(scene, kind, Path(folder))
    return _decided(scene, f"command line, from its cache, {kind}", seconds)


def by_python(scene: Scene, kind: str) -> Decided:
    return _decided(scene, f"Python, examples made beforehand, {kind}", _python_seconds(scene, kind))


def learn(scene: Scene) -> Iterator[Learned]:
    """Rows learned from the cache, and one update through Python; every update refreshes."""
    for kind, options in TEXTS.items():
        with TemporaryDirectory(prefix="kulanz-vw-") as name:
            folder = Path(name)
            (folder / "past.txt").write_text(past_text(scene, kind), "utf-8")
            (folder / "none.txt").write_text("", "utf-8")
            command = [*BASE, *options, "-d", "past.txt", "--cache_file", "past.cache"]
            run(folder, *command, "-k")
            seconds = cpu_seconds(lambda: run(folder, *command), 3)  # noqa: B023 - called at once
            seconds -= cpu_seconds(lambda: run(folder, *BASE, *options, "-d", "none.txt"), 3)  # noqa: B023
            run(folder, *command, "-f", "model")
            size = (folder / "model").stat().st_size
        name = f"vowpalwabbit (vw command line, from its cache, {kind})"
        yield Learned(
            engine=name,
            model="squarecb, mtr",
            actions=scene.actions,
            features=scene.features,
            rows=len(scene.past_actions),
            per_cpu_s=len(scene.past_actions) / seconds,
            one_update_us=1e6 * _one_update(scene, kind),
            refresh_ms=0.0,
            file_bytes=size,
        )


def case_text(contexts: Singles, allowed: Bools, kind: str, told: dict[int, str] | None = None) -> str:
    """Cases in its text format; `told` maps an action to the label before its line, for a single case."""
    told = told or {}
    shared = shared_lines(contexts) if kind == "-q sa" else [""] * len(contexts)
    cases = []
    for line, row, may in zip(shared, contexts.tolist(), allowed, strict=True):
        actions = np.flatnonzero(may).tolist()
        if line:
            lines = [line, *(f"{told.get(action, '')}|a {action}" for action in actions)]
        else:
            features = named(row)
            lines = [f"{told.get(action, '')}|a{action} own {features}" for action in actions]
        cases.append("\n".join(lines))
    return "\n\n".join(cases) + "\n\n"


def past_text(scene: Scene, kind: str) -> str:
    """The past with cost and chance of what was done."""
    every = np.ones((1, scene.actions), dtype=np.bool_)
    chance = 1.0 / scene.actions
    past = zip(scene.past_contexts, scene.past_actions.tolist(), scene.past_rewards.tolist(), strict=True)
    return "".join(
        case_text(context[None], every, kind, {action: f"0:{-reward:g}:{chance:.6g} "})
        for context, action, reward in past
    )


def run(folder: Path, *arguments: str) -> None:
    """Its command line, as its package brings it."""
    subprocess.run([sys.executable, "-m", "vowpalwabbit", *arguments], cwd=folder, check=True)


def _command_seconds(scene: Scene, kind: str, folder: Path) -> float:
    (folder / "past.txt").write_text(past_text(_taught(scene), kind), "utf-8")
    (folder / "cases.txt").write_text(case_text(scene.contexts, scene.allowed, kind), "utf-8")
    (folder / "none.txt").write_text("", "utf-8")
    run(folder, *BASE, *TEXTS[kind], "-d", "past.txt", "-f", "model")
    command = ["-t", "-i", "model", "--quiet", "-p", "chances"]
    run(folder, *command, "-d", "cases.txt", "--cache_file", "cases.cache", "-k")
    start = cpu_seconds(lambda: run(folder, *command, "-d", "none.txt"), 3)
    return (
        cpu_seconds(lambda: run(folder, *command, "-d", "cases.txt", "--cache_file", "cases.cache"), 3)
        - start
    )


def _python_seconds(scene: Scene, kind: str) -> float:
    model = _taught_model(scene, kind)
    cases = case_text(scene.contexts, scene.allowed, kind).split("\n\n")[:-1]
    made = [model.parse(case) for case in cases]
    seconds = cpu_seconds(lambda: [model.predict(case) for case in made], 3)
    for case in made:
        model.finish_example(case)
    return seconds


def _one_update(scene: Scene, kind: str, updates: int = 200) -> float:
    model = _taught_model(scene, kind)
    made = [model.parse(case) for case in past_text(_taught(scene), kind).split("\n\n")[:updates]]
    seconds = cpu_seconds(lambda: [model.learn(case) for case in made], 3) / updates
    for case in made:
        model.finish_example(case)
    return seconds


def _taught(scene: Scene) -> Scene:
    """With a short past: what it has learned does not change how long it takes."""
    past = slice(0, TEACH)
    return Scene(
        scene.contexts,
        scene.allowed,
        scene.past_contexts[past],
        scene.past_actions[past],
        scene.past_rewards[past],
    )


def _taught_model(scene: Scene, kind: str) -> vowpalwabbit.Workspace:
    model = vowpalwabbit.Workspace(" ".join((*BASE, *TEXTS[kind])))
    for case in past_text(_taught(scene), kind).split("\n\n")[:-1]:
        model.learn(case)
    return model


def _decided(scene: Scene, way: str, seconds: float) -> Decided:
    return Decided(
        engine=f"vowpalwabbit (vw {way})",
        exploration="squarecb",
        actions=scene.actions,
        features=scene.features,
        rows=len(scene.contexts),
        per_cpu_s=len(scene.contexts) / seconds,
        probabilities=True,
        vetoes=True,
    )
