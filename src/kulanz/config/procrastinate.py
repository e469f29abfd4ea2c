"""Django Tasks on procrastinate: jobs are rows of the same PostgreSQL, enqueued in the caller's transaction."""

from typing import Any

from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskResult, TaskResultStatus
from procrastinate import exceptions
from procrastinate.contrib.django import app

_JOB = "kulanz.call"


@app.task(name=_JOB)
def call(path: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Run the Django task that `path` names; the worker's threads give their connections back afterwards."""
    try:
        import_string(path).call(*args, **kwargs)
    finally:
        close_old_connections()


class ProcrastinateBackend(BaseTaskBackend):
    """One procrastinate job per enqueued task.

    The task and its arguments are the queueing lock: the same work waiting twice is one job, and never runs beside
    itself.
    """

    supports_defer = True

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any]:
        self.validate_task(task)
        key = f"{task.module_path}{args!r}{kwargs!r}"
        job = app.configure_task(
            _JOB, lock=key, queueing_lock=key, queue=task.queue_name, schedule_at=task.run_after
        )
        try:
            job_id = job.defer(path=task.module_path, args=list(args), kwargs=dict(kwargs))
        except exceptions.AlreadyEnqueued:
            job_id = 0
        return TaskResult(
            task=task,
            id=str(job_id),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=list(args),
            kwargs=dict(kwargs),
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )
