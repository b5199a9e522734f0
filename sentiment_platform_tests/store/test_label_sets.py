from sqlalchemy import text

from sentiment_platform.store.engine import create_platform_engine
from sentiment_platform.store.label_sets import LabelSet, ensure_label_set, label_sets
from sentiment_platform.store.migrate import downgrade, upgrade

INSERT = """
    INSERT INTO platform.labels (id, label_set, external_id, annotator, text, text_hash, label, weight, licence)
    VALUES (:id, :set, :id, 'ada', 'Sales rose', 'h', 'positive', 1.0, :licence)"""


def test_labels_of_before_keep_their_licence_when_sets_get_a_table_and_when_they_lose_it_again(empty_database_url: str) -> None:
    upgrade(empty_database_url, "0003")
    engine = create_platform_engine(empty_database_url)
    licences = {"bank": "CC-BY-NC-SA-3.0", "desk": "MIT", "feedback": "feedback"}
    with engine.begin() as connection:
        connection.execute(text(INSERT), [{"id": name, "set": name, "licence": of} for name, of in licences.items()])
    upgrade(empty_database_url, "0004")
    with engine.connect() as connection:
        sets = connection.execute(text("SELECT name, kind, licence, commercial_use FROM platform.label_sets ORDER BY name")).all()
    assert sets == [
        ("bank", "human", "CC-BY-NC-SA-3.0", False),
        ("desk", "human", "MIT", None),
        ("feedback", "feedback", "feedback", None),
    ]
    # Whoever imports the set again brings what its licence allows.
    with engine.begin() as connection:
        ensure_label_set(connection, LabelSet("desk", "human", "MIT", True))
        assert label_sets(connection)["desk"].commercial_use is True
    engine.dispose()
    downgrade(empty_database_url, "0003")
    with engine.connect() as connection:
        assert dict(connection.execute(text("SELECT label_set, licence FROM platform.labels")).all()) == licences
    engine.dispose()
