"""Python client for Assay: records in, labels and verdicts out, as data frames.

Example::

    from assay_client import Assay

    with Assay("https://assay.example.org", api_key="assay_…") as assay:
        assay.jobs.wait(assay.datasets.add("shop", frame, id_column="sku"))
"""

from assay_client.clients import Assay, AsyncAssay
from assay_client.exceptions import (
    AssayError,
    Conflict,
    InvalidInput,
    JobFailed,
    JobStillRunning,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PackageMissing,
    Problem,
    RowsUnreadable,
    ServerTrouble,
    SettingMissing,
    TooManyRequests,
    Unreachable,
)
from assay_client.models import (
    AddedRecords,
    Batch,
    Dataset,
    Estimate,
    ImportReport,
    Job,
    Project,
    ProjectStatus,
    Record,
    RecordPage,
    Reject,
    ScoredRecord,
    Scores,
    Verdict,
    VerdictPage,
    VerdictState,
    WhoAmI,
)
from assay_client.progress import ProgressLine, silence
from assay_client.table import Table

__all__ = [
    "AddedRecords",
    "Assay",
    "AssayError",
    "AsyncAssay",
    "Batch",
    "Conflict",
    "Dataset",
    "Estimate",
    "ImportReport",
    "InvalidInput",
    "Job",
    "JobFailed",
    "JobStillRunning",
    "NotAllowed",
    "NotAuthenticated",
    "NotFound",
    "PackageMissing",
    "Problem",
    "ProgressLine",
    "Project",
    "ProjectStatus",
    "Record",
    "RecordPage",
    "Reject",
    "RowsUnreadable",
    "ScoredRecord",
    "Scores",
    "ServerTrouble",
    "SettingMissing",
    "Table",
    "TooManyRequests",
    "Unreachable",
    "Verdict",
    "VerdictPage",
    "VerdictState",
    "WhoAmI",
    "silence",
]
