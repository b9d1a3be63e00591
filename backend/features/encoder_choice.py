"""Which encoder: a name of the settings, or what was fine-tuned from it."""

from collections.abc import Iterator
from dataclasses import dataclass

from active_learning.artifacts import TrainingFacts
from active_learning.encoders.loading import meanings, name_today


@dataclass(frozen=True)
class EncoderChoice:
    """An encoder by what loads it; what it computes is named by its revision."""

    name: str
    """As in the settings: ``auto``, ``characters``, a Hugging Face name …"""
    folder: str | None = None
    """Below the models directory: the fine-tuned transformer in place of the one in ``name``."""

    @property
    def base(self) -> "EncoderChoice":
        """The one from before any fine-tuning: it has not seen a label."""
        return EncoderChoice(self.name)


def encoders_of(facts: TrainingFacts, folder: str | None, own_name: str) -> Iterator[EncoderChoice]:
    """The encoders that a model version may have been trained on, the likeliest first.

    Several where a name means another encoder than in earlier releases, as ``auto`` does; the
    version's revision tells which it was.

    Args:
        facts: of its artifact.
        folder: the version's ``encoder_folder``.
        own_name: the settings' encoder. Versions on fine-tuned encoders did not write down the
            name once; theirs was the settings' own, and the revision tells if it still is.
    """
    is_named = facts.encoder_name != folder
    for name in meanings(facts.encoder_name if is_named else own_name):
        yield EncoderChoice(name, folder)


def encoder_of(facts: TrainingFacts, folder: str | None, own_name: str) -> EncoderChoice:
    """The encoder that a model version was trained on, by a name that means it today.

    For who only writes it down: whether it can still be loaded is not asked.
    """
    first = next(encoders_of(facts, folder, own_name))
    return EncoderChoice(name_today(first.name, facts.encoder_revision), folder)
