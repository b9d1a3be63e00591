"""Reasons as the API shows them: words for people, and the message for programs."""

from pydantic import BaseModel, Field, computed_field

from backend.words.message import Message
from backend.words.translation import in_readers_language


class WithReason(BaseModel):
    """Something with a reason."""

    reason_message: Message = Field(
        description="the English text that identifies the reason, and the values it names"
    )

    @computed_field(  # type: ignore[prop-decorator]
        description="the reason in the language asked for (Accept-Language), else in English"
    )
    @property
    def reason(self) -> str:
        """In the language of whoever asked the API."""
        return in_readers_language(self.reason_message)
