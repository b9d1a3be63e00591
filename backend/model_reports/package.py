"""A model version to take along: which files, and what is written about it."""

import json
import re
from dataclasses import dataclass

from active_learning.artifacts import load_artifact
from active_learning.encoders.fine_tuning.options import RESULT
from active_learning.encoders.parts import encoder_parts, installed_packages
from active_learning.exceptions import ArtifactError
from active_learning.portable.folder import (
    CARD,
    CLASSIFIER,
    ENCODER,
    REPORT,
    SCHEMA,
    PackedFile,
    PortableConfig,
    files_below,
)
from backend.core.exceptions import Conflict
from backend.core.services import Services
from backend.features.encoder_choice import encoder_of
from backend.model_reports.model_card import CardFacts, model_card
from backend.model_reports.schemas import ModelReport
from backend.models import ModelVersion, Project
from backend.projects.service import label_schema_of
from backend.words import SOURCE_LANGUAGE, Language, Message, Worded, languages
from labeling.label_schema import LabelSchema


@dataclass(frozen=True)
class ModelPackage:
    """A model version with everything that scoring needs."""

    name: str
    """Of its folder or its zip."""
    config: PortableConfig
    files: list[PackedFile]


def model_package(
    services: Services, project: Project, version: ModelVersion, report: ModelReport
) -> ModelPackage:
    """The package of that version; nothing is written yet.

    Raises:
        Conflict: its files are damaged, or its fine-tuned encoder was deleted.
    """
    root, schema = services.settings.models_dir, label_schema_of(project)
    try:
        artifact = load_artifact(root / version.artifact)
    except ArtifactError as error:
        raise _cannot_be_taken(version, Message.of_error(error)) from error
    choice = encoder_of(artifact.facts, version.encoder_folder, services.settings.encoder)
    files = files_below(root / version.artifact, CLASSIFIER)
    place = None
    if choice.folder is not None:
        folder = root / choice.folder
        place = f"{ENCODER}/{folder.name}"
        weights = [file for file in files_below(folder, place) if not file.place.endswith(RESULT)]
        if not weights:
            raise _cannot_be_taken(version, Message("Its fine-tuned encoder was deleted."))
        files += weights
    config = PortableConfig(
        project=project.name,
        model_version=version.number,
        made_at=version.created_at.isoformat(),
        encoder_name=choice.name,
        encoder_revision=version.encoder,
        encoder_folder=place,
        encoder_packages=installed_packages(choice.name),
        is_ordered=schema.grade.ordered,
    )
    facts = CardFacts(
        project.name,
        version,
        report,
        schema,
        encoder_parts(choice.name),
        is_fine_tuned=place is not None,
        fields=artifact.signals.fields,
    )
    return ModelPackage(
        f"assay-{_plain(project.name)}-v{version.number}",
        config,
        [*files, *_papers(facts, schema, report)],
    )


def _papers(facts: CardFacts, schema: LabelSchema, report: ModelReport) -> list[PackedFile]:
    told = report.model_dump(mode="json", exclude={"changes", "comparable"})
    return [
        PackedFile(SCHEMA, _json(schema.model_dump(mode="json"))),
        PackedFile(REPORT, _json(told)),
        *(
            PackedFile(_card_name(language), model_card(facts, language).encode())
            for language in languages()
        ),
    ]


def _card_name(language: Language) -> str:
    return CARD if language == SOURCE_LANGUAGE else CARD.replace(".md", f".{language}.md")


def _json(told: object) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _plain(name: str) -> str:
    """As much of the name as every file system and every header takes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "model"


def _cannot_be_taken(version: ModelVersion, why: Worded | str) -> Conflict:
    return Conflict(
        Message(
            "Model version {number} cannot be taken along: {why}", number=version.number, why=why
        ),
        field="number",
        value=version.number,
        remedy=Message("Take the champion, or another version that can still answer."),
    )
