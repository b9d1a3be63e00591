# TEMPORARY: the signatures as they will be, for readers while the implementation is written.
# ---- active_learning/types.py -------------------------------------------------------------
RecordId = int
Fields = Mapping[str, Any]                      # ordered: field name -> value
Progress = Callable[[float, str], None]         # (fraction 0..1, message)
ShouldStop = Callable[[], bool]                 # True: stop; the call then raises Cancelled
class RecordPredictions:                        # frozen dataclass, all over the same n rows
    grades: Probabilities                       # (n, classes)   calibrated
    issues: Probabilities                       # (n, issues)    calibrated
    faulty_fields: Probabilities                # (n, fields)
class Reason: en: str; zh: str
class SelectedBatch:                            # audit part first
    record_ids: list[RecordId]; scores: list[float]; reasons: list[Reason]; is_audit: list[bool]

# ---- active_learning/classifiers/record_text.py -------------------------------------------
def record_text(fields: Fields) -> str: ...     # "title: ... | price: ..." ; missing values are named
# ---- active_learning/classifiers/encoders.py ----------------------------------------------
class Encoder(Protocol):
    revision: str; dimension: int
    def encode(self, texts: Sequence[str], progress=..., should_stop=...) -> Embeddings: ...
def load_encoder(name: str = "auto", *, device: str = "auto", dtype: str = "auto", threads: int | None = None) -> Encoder: ...
    # "auto", "bundled-en", "bundled-multilingual", "characters", or any Hugging Face name/path; EncoderUnavailable
# ---- active_learning/classifiers/embedding_cache.py ---------------------------------------
class EmbeddingCache:
    def __init__(self, directory: Path, encoder: Encoder) -> None: ...   # one folder per encoder revision below directory
    def embed(self, texts: Sequence[str], progress=..., should_stop=...) -> Embeddings: ...  # (n, d) float32
# ---- active_learning/classifiers/column_signals.py ----------------------------------------
class ColumnSignals:
    @classmethod
    def fit(cls, records: Iterable[Fields], *, fields: Sequence[str] | None = None, today: date | None = None,
            progress=..., should_stop=...) -> ColumnSignals: ...         # one streaming pass
    fields: tuple[str, ...]
    def transform(self, records: Iterable[Fields]) -> Signals: ...        # .record (n, r) float32, .cells (n, fields, k) float32
    def fingerprint(self) -> str: ...
    def save(self, path: Path) -> None: ...  ; @classmethod def load(cls, path: Path) -> ColumnSignals: ...
# ---- active_learning/classifiers/record_features.py ---------------------------------------
class FeatureLayout: embedding: int; record_signals: int; fields: tuple[str, ...]; cell_signals: int; width: int
class RecordFeatures:                            # the one thing that turns records into X
    def __init__(self, cache: EmbeddingCache, signals: ColumnSignals) -> None: ...
    layout: FeatureLayout
    def transform(self, records: Sequence[Fields], progress=..., should_stop=...) -> Features: ...   # (n, width) float32
# ---- active_learning/classifiers/record_classifier.py -------------------------------------
class RecordClassifier:                          # scikit-learn style; X from RecordFeatures
    def __init__(self, layout: FeatureLayout, classes: Sequence[str], issues: Sequence[str] = (), *, seed: int = 0) -> None: ...
    def fit(self, X, y, *, issues=None, faulty_fields=None, warm_start: RecordClassifier | None = None,
            progress=..., should_stop=...) -> Self: ...
        # y: n grades (str). issues: (n, len(issues)) int8 with 1 yes, 0 no, -1 not answered.
        # faulty_fields: (n, len(layout.fields)) int8, same coding. Give ALL labels each time (replay); warm_start starts from old weights.
    def partial_fit(self, X, y, *, issues=None, faulty_fields=None) -> Self: ...   # adds to the rows kept in memory
    def predict(self, X) -> NDArray[str]: ...
    def predict_proba(self, X) -> Probabilities: ...                # (n, len(classes)), columns in the order of classes_
    def predict_all(self, X) -> RecordPredictions: ...
    classes_: NDArray[str]
# ---- active_learning/artifacts.py ---------------------------------------------------------
class TrainingFacts:                             # frozen dataclass, given by the caller, kept in manifest.json
    encoder_name: str; encoder_revision: str; snapshot: str; annotation_ids: list[int]; metrics: dict; parent: str | None = None
class Artifact: classifier: RecordClassifier; signals: ColumnSignals; facts: TrainingFacts; manifest: dict; directory: Path
def save_artifact(directory: Path, classifier, signals, facts) -> None: ...     # atomic; DiskFull, ArtifactExists
def load_artifact(directory: Path) -> Artifact: ...                             # ArtifactCorrupt, ArtifactMissing
# ---- active_learning/pool.py --------------------------------------------------------------
class Pool:
    def __init__(self, record_ids: Sequence[RecordId], labelled: Collection[RecordId] = ()) -> None: ...
    # labelled = everything not to be chosen again (labelled or already in a batch)
# ---- active_learning/learner.py -----------------------------------------------------------
class ActiveLearner:
    def __init__(self, classifier: RecordClassifier, *, strategy: str = "diverse_margin", audit_share: float = 0.1,
                 random_share: float | None = None, seed: int = 0) -> None: ...   # None: 30 % early, 5 % later
    def teach(self, X, y, *, issues=None, faulty_fields=None, progress=..., should_stop=...) -> None: ...  # all labels so far
    def select(self, pool: Pool, X: Features, budget: int, *, progress=..., should_stop=...) -> SelectedBatch: ...
        # X: rows of ALL pool records in pool order. Unfitted classifier: cold start. EmptyPool if nothing is left; fewer if the pool is short.
# ---- active_learning/query_strategies/factory.py ------------------------------------------
def strategy_names() -> tuple[str, ...]: ...
def make_strategy(name: str, *, seed: int = 0) -> QueryStrategy: ...             # UnknownStrategy
# ---- active_learning/evaluation.py --------------------------------------------------------
class Estimate: value: float; low: float; high: float; n: int                    # 95 % interval
class Evaluation: accuracy: Estimate; macro_f1: Estimate; ece: float; n: int; def to_dict() -> dict
def evaluate(truth: Sequence[str], probabilities: Probabilities, classes: Sequence[str], *, seed: int = 0) -> Evaluation: ...
class PairedComparison: difference: Estimate; wins: int; losses: int; n: int
def compare(truth, challenger: Sequence[str], champion: Sequence[str]) -> PairedComparison: ...
def area_under_learning_curve(labels: Sequence[int], values: Sequence[float]) -> float: ...
# ---- active_learning/gate.py --------------------------------------------------------------
class GateDecision: promote: bool; reason: Reason; evidence: dict[str, Any]
def decide(truth, challenger: Sequence[str], champion: Sequence[str] | None, *, tolerance: float = 0.05) -> GateDecision: ...
    # champion None: the first model, always promoted. Audit rows are HELD OUT of training: never pass them to fit.
# ---- active_learning/simulation/oracle.py -------------------------------------------------
class SimulatedAnnotator: ...   # (name, classes, error_rate, seed, confusion=None); annotate(grades, issues=None, faulty_fields=None)
# ---- active_learning/exceptions.py --------------------------------------------------------
# ActiveLearningError > EmptyPool, NotFitted, NoLabels, UnknownStrategy, EncoderUnavailable, Cancelled,
#   UnknownLabel, ShapeMismatch, ReplayMissing, CacheLocked, ArtifactError > ArtifactCorrupt, ArtifactMissing, ArtifactExists, DiskFull
