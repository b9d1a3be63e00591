"""A number in a path: ``/cases/{case_id:number}``.

Where words have addresses beside it (``/cases/bulk``), a word that is none of them is no address
either, and the words' own methods are told. Starlette's ``int`` fails at 5,000 digits.
"""

from starlette.convertors import Convertor


class NumberConvertor(Convertor[str]):
    """The digits as they stand; what the route declares says which numbers it takes."""

    regex = "-?[0-9]+"

    def convert(self, value: str) -> str:
        """The same."""
        return value

    def to_string(self, value: str) -> str:
        """The same."""
        return value
