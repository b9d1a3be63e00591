"""What the command line calls the errors of the libraries."""

from active_learning import exceptions as learning
from backend.words import N_
from labeling import exceptions as labelling

TITLES: dict[type[Exception], str] = {
    labelling.LabelingError: N_("Labelling error"),
    labelling.LabelSchemaInvalid: N_("Label schema invalid"),
    labelling.LabelConfigInvalid: N_("Label config invalid"),
    labelling.MalformedWebhook: N_("Malformed webhook"),
    labelling.MalformedTasks: N_("Malformed tasks"),
    labelling.LabelStudioUnavailable: N_("Label Studio unavailable"),
    labelling.PushInterrupted: N_("Push interrupted"),
    labelling.LabelStudioRefused: N_("Label Studio refused"),
    labelling.LabelStudioNotStarted: N_("Label Studio not started"),
    labelling.OtherToken: N_("Other token"),
    learning.ActiveLearningError: N_("Active learning error"),
    learning.EmptyPool: N_("Empty pool"),
    learning.NotFitted: N_("Not fitted"),
    learning.NoLabels: N_("No labels"),
    learning.UnknownLabel: N_("Unknown label"),
    learning.UnknownRecord: N_("Unknown record"),
    learning.ShapeMismatch: N_("Shape mismatch"),
    learning.NonFiniteFeatures: N_("Non finite features"),
    learning.ReplayMissing: N_("Replay missing"),
    learning.UnknownStrategy: N_("Unknown strategy"),
    learning.EncoderUnavailable: N_("Encoder unavailable"),
    learning.DeviceUnavailable: N_("Device unavailable"),
    learning.DeviceMemoryFull: N_("Device memory full"),
    learning.Cancelled: N_("Cancelled"),
    learning.CacheLocked: N_("Cache locked"),
    learning.DiskFull: N_("Disk full"),
    learning.ArtifactError: N_("Artifact error"),
    learning.ArtifactMissing: N_("Artifact missing"),
    learning.ArtifactExists: N_("Artifact exists"),
    learning.ArtifactCorrupt: N_("Artifact corrupt"),
}
"""By class; a test holds it to the classes that there are."""
