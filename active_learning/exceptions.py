"""What can go wrong in learning.

ActiveLearningError
├── EmptyPool              every record of the pool is labelled or in a batch
├── NotFitted              asked for predictions before any label was given
├── NoLabels               asked to learn from nothing
├── UnknownLabel           a label outside the declared classes or issues
├── UnknownRecord          a record id that the pool does not hold
├── ShapeMismatch          arrays that do not belong together
├── NonFiniteFeatures      a feature matrix holds NaN or infinite values
├── ReplayMissing          partial_fit on a classifier that no longer holds its labels
├── UnknownStrategy        no query strategy of that name
├── EncoderUnavailable     the text encoder cannot be loaded
├── DeviceUnavailable      the device that was asked for is not there
├── DeviceMemoryFull       the memory of the device does not suffice
├── Cancelled              the caller asked to stop
├── CacheLocked            another process writes to the embedding cache
├── DiskFull               no space left; nothing half-written remains
└── ArtifactError
    ├── ArtifactMissing    no artifact in that directory
    ├── ArtifactExists     the directory already holds an artifact
    └── ArtifactCorrupt    a file is missing, altered or unreadable
"""


class ActiveLearningError(Exception):
    """Base of every error that this library raises on purpose.

    Its first argument is a ``Reason``, which whoever shows it may translate, or a text for
    programmers; ``str`` of the error is the English one.
    """


class EmptyPool(ActiveLearningError):
    """Every record of the pool is labelled or already in a batch."""


class NotFitted(ActiveLearningError):
    """The classifier has not seen any label yet."""


class NoLabels(ActiveLearningError):
    """There is no label to learn from or to evaluate on."""


class UnknownLabel(ActiveLearningError):
    """A label is not among the declared classes."""


class UnknownRecord(ActiveLearningError):
    """The pool does not hold this record id."""


class ShapeMismatch(ActiveLearningError):
    """Two arrays do not belong together."""


class NonFiniteFeatures(ActiveLearningError):
    """A feature matrix holds NaN or infinite values."""


class ReplayMissing(ActiveLearningError):
    """A classifier loaded from disk holds weights, not labels: use ``fit`` with all labels."""


class UnknownStrategy(ActiveLearningError):
    """No query strategy has this name."""


class EncoderUnavailable(ActiveLearningError):
    """The text encoder cannot be loaded."""


class DeviceUnavailable(ActiveLearningError):
    """torch does not see the device that was asked for."""


class DeviceMemoryFull(ActiveLearningError):
    """The memory of the device does not suffice; another process may hold it."""


class Cancelled(ActiveLearningError):
    """The caller's ``should_stop`` answered True; nothing half-done remains."""


class CacheLocked(ActiveLearningError):
    """Another process is writing to this embedding cache."""


class DiskFull(ActiveLearningError):
    """The disk is full; what was being written is removed."""


class ArtifactError(ActiveLearningError):
    """A stored classifier cannot be used."""


class ArtifactMissing(ArtifactError):
    """The directory holds no artifact."""


class ArtifactExists(ArtifactError):
    """The directory already holds an artifact; artifacts are never overwritten."""


class ArtifactCorrupt(ArtifactError):
    """A file of the artifact is missing, altered or unreadable."""
