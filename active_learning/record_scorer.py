"""Records in, predictions out: the one way from a record's fields to what a classifier says."""

from collections.abc import Sequence

from active_learning.artifacts import Artifact
from active_learning.classifiers.record_features import RecordFeatures
from active_learning.encoders.base import EmbeddingSource
from active_learning.types import Fields, Progress, RecordPredictions, ShouldStop, never, silent


class RecordScorer:
    """What a trained classifier says about any records.

    Args:
        artifact: the classifier and the columns that it was trained on.
        embeddings: by its own encoder: cached on disk, or computed each time.

    Raises:
        ShapeMismatch: the encoder is another one than the classifier was trained on.
    """

    def __init__(self, artifact: Artifact, embeddings: EmbeddingSource) -> None:
        self._classifier = artifact.classifier
        self._features = RecordFeatures(embeddings, artifact.signals)
        self.fields = artifact.signals.fields
        """What of a record is read, in this order."""
        self._classifier.layout.check_same(self._features.layout)

    def predict(
        self,
        records: Sequence[Fields],
        progress: Progress = silent,
        should_stop: ShouldStop = never,
    ) -> RecordPredictions:
        """Grades, issues and faulty fields of n records, in their order.

        A field that a record does not have is a missing value; others than ``fields`` are not
        read. Memory grows with n: give some thousands at a time.

        Raises:
            Cancelled: ``should_stop`` answered True.
        """
        read = [{name: record.get(name) for name in self.fields} for record in records]
        return self._classifier.predict_all(self._features.transform(read, progress, should_stop))
