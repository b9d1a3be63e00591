"""The tables. Import from here; the modules group them by subject."""

from sqlmodel import SQLModel

from backend.models.access import ApiKey, AuditEvent, User
from backend.models.annotation import Annotation, Annotator, WebhookEvent
from backend.models.insight import Acceptance, LabelFinding, MachineLabel
from backend.models.job import Job, Lease, Schedule, Worker
from backend.models.notice import Notice, NoticeAddress, NoticeAttempt
from backend.models.project import Batch, Prediction, Project, SyncCursor, Task
from backend.models.record import Dataset, Import, ImportReject, Record
from backend.models.record_index import RecordIndexState, RecordText
from backend.models.registry import AuditSample, ModelVersion, Promotion, VersionReport
from backend.models.review import (
    CaseReason,
    ConsensusLabel,
    ConsensusState,
    Decision,
    Guideline,
    ReviewCase,
    WorkReport,
)

metadata = SQLModel.metadata

__all__ = [
    "Acceptance",
    "Annotation",
    "Annotator",
    "ApiKey",
    "AuditEvent",
    "AuditSample",
    "Batch",
    "CaseReason",
    "ConsensusLabel",
    "ConsensusState",
    "Dataset",
    "Decision",
    "Guideline",
    "Import",
    "ImportReject",
    "Job",
    "LabelFinding",
    "Lease",
    "MachineLabel",
    "ModelVersion",
    "Notice",
    "NoticeAddress",
    "NoticeAttempt",
    "Prediction",
    "Project",
    "Promotion",
    "Record",
    "RecordIndexState",
    "RecordText",
    "ReviewCase",
    "Schedule",
    "SyncCursor",
    "Task",
    "User",
    "VersionReport",
    "WebhookEvent",
    "WorkReport",
    "Worker",
    "metadata",
]
