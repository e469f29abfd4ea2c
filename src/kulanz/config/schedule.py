"""What the worker does without being asked, how often, and the loop that does it."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string

from kulanz.tenancy.models import Creditor

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that runs for every creditor each `seconds`."""

    path: str
    seconds: float


SCHEDULE = (
    Periodic("kulanz.events.tasks.deliver", 2),
    Periodic("kulanz.outreach.tasks.dispatch", 5),
    Periodic("kulanz.outreach.tasks.read_mail", 60),
    Periodic("kulanz.claims.tasks.accrue", 86_400),
    Periodic("kulanz.claims.tasks.seal", 60),
    Periodic("kulanz.payments.tasks.check_plans", 86_400),
    Periodic("kulanz.payments.tasks.check_offers", 86_400),
    Periodic("kulanz.strategy.tasks.decide", 900),
    Periodic("kulanz.strategy.tasks.learn", 900),
)


@dataclass
class Scheduler:
    """Enqueues what is due. Time is monotonic seconds: a changed wall clock neither floods nor starves it."""

    schedule: tuple[Periodic, ...] = SCHEDULE
    due: dict[tuple[str, int], float] = field(default_factory=dict)

    def enqueue_due(self, now: float) -> int:
        """Enqueue every due task once per creditor; returns how many."""
        enqueued = 0
        for creditor in Creditor.objects.values_list("id", flat=True):
            for periodic in self.schedule:
                key = (periodic.path, creditor)
                if self.due.get(key, now) <= now:
                    import_string(periodic.path).enqueue(creditor)
                    self.due[key] = now + periodic.seconds
                    enqueued += 1
        return enqueued


def work(*, once: bool = False) -> None:
    """Run the schedule until stopped; `once`: everything that is due now, then return."""
    run = _work_on_postgres if settings.POSTGRES else _work_embedded
    run(Scheduler(), once=once)


def _work_embedded(scheduler: Scheduler, *, once: bool) -> None:
    from django_tasks_db.management.commands.db_worker import Worker  # noqa: PLC0415 - only on SQLite

    while True:
        scheduler.enqueue_due(time.monotonic())
        Worker(
            queue_names=["*"],
            interval=0,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id="embedded",
            excluded_queue_names=[],
        ).run()
        if once:
            return
        time.sleep(0.5)


def _work_on_postgres(scheduler: Scheduler, *, once: bool) -> None:
    from procrastinate.contrib.django import app  # noqa: PLC0415 - its app is installed on PostgreSQL only

    connector: Any = app.connector
    worker_app: Any = app.with_connector(connector.get_worker_connector())
    if once:
        scheduler.enqueue_due(time.monotonic())
        worker_app.run_worker(wait=False, install_signal_handlers=False, delete_jobs="successful")
        return
    threading.Thread(target=_keep_scheduling, args=[scheduler], daemon=True).start()
    worker_app.run_worker(delete_jobs="successful", fetch_job_polling_interval=1.0)


def _keep_scheduling(scheduler: Scheduler) -> None:
    while True:
        close_old_connections()
        scheduler.enqueue_due(time.monotonic())
        time.sleep(0.5)
