"""Learning and deciding as tasks."""

from django_tasks import task

from kulanz.kernel import clock
from kulanz.kernel.errors import NotFoundError
from kulanz.strategy import journeys, learning, rewards, runs
from kulanz.tenancy.scope import scope


@task
def learn(creditor_id: int) -> int:
    """Count the rewards whose time has come and learn from them; returns how many were learned."""
    with scope(creditor_id):
        if not _has_journey():
            return 0
        rewards.credit()
        return learning.learn().rewards


@task
def decide(creditor_id: int) -> int:
    """Decide every case that is due; returns how many. The seed is the instant: each run draws anew."""
    with scope(creditor_id):
        if not _has_journey():
            return 0
        return runs.run(seed=int(clock.now().timestamp())).cases


def _has_journey() -> bool:
    """A creditor that is still being set up has none; there is nothing to decide then."""
    try:
        journeys.active()
    except NotFoundError:
        return False
    return True
