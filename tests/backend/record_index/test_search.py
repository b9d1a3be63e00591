"""Search against a scan of all texts, on both databases."""

from random import Random

import pytest

from backend.record_index.values import value_text
from backend.record_index.words import normal_form
from tests.backend.record_index.conftest import HAN, WORDS, Shop, record, some_record
from tests.backend.record_index.scan import does_fit

NASTY = (
    *('"', "'", "''", '"""', "*", "a*", "(", ")", "NEAR(a b)", "a AND", "OR", "NOT", "title:red"),
    *(
        "-",
        "--",
        '-"',
        "a:*",
        "a & | !",
        "\\",
        "\x00",
        "\ud800",
        "\ue0001",
        "{a}",
        "^red",
        "a+b",
        "%",
    ),
    *(":needle0", "; DROP TABLE record", "x" * 5_000, "字" * 5_000, "w " * 600, "(" * 900),
)


def texts(external_id: str, fields: dict[str, object]) -> list[str]:
    return [external_id, *(text for each in fields.values() if (text := value_text(each)))]


def queries(random: Random) -> list[str]:
    some = [
        *WORDS,
        *(
            "ste",
            "sku-10",
            "1001",
            "bottle steel",
            '"steel bottle"',
            '"bottle steel"',
            "-steel",
            "",
        ),
        *("红", "杯 -红", '-"steel bottle" mug', "steel -mug -红色", "id-1", "id-12", "gross"),
    ]
    for _ in range(40):
        run = "".join(random.choices(HAN, k=random.randint(1, 4)))
        some += [
            run,
            f"{random.choice(WORDS)} {run}",
            f"{run} -{random.choice(WORDS)}",
            f'"{run}mug"',
        ]
    return some


def test_search_is_a_scan(shop: Shop) -> None:
    random = Random(7)
    other = Shop(shop.services, "other")
    for each in (shop, other):
        numbers = random.sample(range(500), 300)
        each.upsert(*(some_record(random, f"ID-{number}") for number in numbers))
    shop.run()
    for each in (shop, other):
        current = each.current()
        for query in queries(random):
            fits = [
                record_id
                for record_id, (external_id, fields) in current.items()
                if does_fit(query, list(map(normal_form, texts(external_id, fields))))
            ]
            assert each.search(query) == fits, query


@pytest.mark.parametrize(
    ("query", "is_hit"),
    [
        ("保温杯", True),
        ("温杯子", False),  # no text contains the run, though it has both pairs
        ("sku 1001", True),
        ("SKU-1001", True),
        ("1001", True),
        ("sku-10", True),
        ("sku-01", False),
        ('"cup steel"', False),  # the one ends a text, the other begins the next
        ("steel bott", True),
        ("bott steel", False),
    ],
)
def test_examples(shop: Shop, query: str, is_hit: bool) -> None:
    shop.upsert(record("1", title="保温杯，温杯 杯子 SKU-1001 cup", colour="steel bottle"))
    shop.run()
    assert bool(shop.search(query)) == is_hit


def test_nothing_that_is_typed_raises(shop: Shop) -> None:
    shop.upsert(record("1", title="red a x w 字" + "字" * 6_000))
    shop.run()
    random = Random(3)
    every = "".join(NASTY[:30]) + HAN + " ab"
    for query in [*NASTY, *("".join(random.choices(every, k=30)) for _ in range(200))]:
        assert len(shop.search(query)) in (0, 1)
    assert shop.search("字" * 5_000) == shop.search("") != []
