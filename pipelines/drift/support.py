"""Whether inputs lie where the training had none: there a model's own scores say nothing of its errors."""

from pipelines.drift.comparison import scale_of
from pipelines.profiles import Distribution, Numbers

# Beyond the training's extremes by a quarter of a standard deviation, so that one more extreme row alone is nothing.
REACH = 0.25
# And this share of the rows more than before in the bin, or the categories, that such rows fall into.
SHARE = 0.03


def unfamiliar(reference: Distribution, current: Distribution) -> bool:
    """Whether a share of the current values that matters is of a kind that the reference does not hold."""
    if not reference.count or not current.count:
        return False
    if isinstance(reference, Numbers) and isinstance(current, Numbers):
        return _beyond(reference, current)
    if isinstance(reference, Numbers) or isinstance(current, Numbers) or reference.other:
        return False
    return current.other / current.count > SHARE


def _beyond(reference: Numbers, current: Numbers) -> bool:
    reach = REACH * scale_of(reference)
    ends = (0, reference.minimum - current.minimum), (-1, current.maximum - reference.maximum)
    return any(
        past > reach and current.counts[end] / current.count - reference.counts[end] / reference.count > SHARE
        for end, past in ends
    )
