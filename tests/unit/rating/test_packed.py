"""Columns come out of the relational store as they went in."""

import pytest
import sqlalchemy as sa

from rating.packed import packed

TEXTS = ["plain", "", 'a "quote"', "back\\slash", "two\nlines", '","', "müller", None, "[", '"']


@pytest.mark.parametrize("texts", [TEXTS, *([text] for text in TEXTS), ["a", "", None], []])
def test_columns_are_as_they_were_stored_whatever_is_in_them(texts: list[str | None]) -> None:
    store, metadata = sa.create_engine("sqlite://"), sa.MetaData()
    table = sa.Table("things", metadata, sa.Column("number", sa.Integer), sa.Column("text", sa.String))
    metadata.create_all(store)
    with store.begin() as connection:
        if texts:
            connection.execute(sa.insert(table), [{"number": at, "text": text} for at, text in enumerate(texts)])
        found = packed(connection, sa.select(table), ["number", "text"])
    rows = zip(found["number"].to_pylist(), found["text"].to_pylist(), strict=True)
    assert sorted(rows) == sorted((str(number), text or "") for number, text in enumerate(texts))
