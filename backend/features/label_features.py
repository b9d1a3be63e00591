"""Feature rows of labelled records, from the pool where it has them."""

from collections.abc import Sequence

import numpy as np

from active_learning.columns.signals import ColumnSignals
from active_learning.types import Features
from backend.core.services import Services
from backend.features import repository
from backend.features.encoder_choice import EncoderChoice
from backend.features.snapshot import LabelledRecord
from backend.features.store import FeatureStore, PoolFeatures
from backend.jobs.context import JobContext
from labeling.label_schema import LabelSchema


class LabelFeatures:
    """Rows of labelled records as one encoder and any column signals see them."""

    def __init__(
        self,
        services: Services,
        features: FeatureStore,
        context: JobContext,
        schema: LabelSchema,
        pool: PoolFeatures | None,
        choice: EncoderChoice,
    ) -> None:
        self._services = services
        self._features = features
        self._context = context
        self._schema = schema
        self._pool = pool
        self._choice = choice

    def by(self, choice: EncoderChoice) -> "LabelFeatures":
        """The same by another encoder."""
        if choice == self._choice:
            return self
        return LabelFeatures(
            self._services, self._features, self._context, self._schema, None, choice
        )

    def matrix(self, labels: Sequence[LabelledRecord], signals: ColumnSignals) -> Features:
        """(n, width) rows of these labels' records, as ``signals`` sees them."""
        return self.records([label.record_id for label in labels], signals)

    def records(self, ids: Sequence[int], signals: ColumnSignals) -> Features:
        """(n, width) rows of the records with these ids, as ``signals`` sees them."""
        pool = self._pool
        if pool is not None and signals.fingerprint() == pool.signals.fingerprint():
            places = pool.positions(ids)
            if (places >= 0).all():
                return np.asarray(pool.matrix[places])
        with self._services.database.reading() as session:
            records = repository.records_by_id(session, ids)
        return self._features.transform(
            signals,
            [
                {name: records[record_id].fields.get(name) for name in self._schema.fields}
                for record_id in ids
            ],
            self._context.progress,
            self._context.should_stop,
            self._choice,
        )
