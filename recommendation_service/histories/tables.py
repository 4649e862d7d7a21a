"""The columns of Django's tables that the service reads."""

from sqlalchemy import JSON, BigInteger, Column, DateTime, Float, MetaData, SmallInteger, String, Table, Uuid

METADATA = MetaData()
USERS = Table("tandem_userkey", METADATA, Column("id", BigInteger), Column("user_id", String))
ITEMS = Table("tandem_itemkey", METADATA, Column("id", BigInteger), Column("item_id", String))
CATALOGUES = Table("tandem_cataloguekey", METADATA, Column("id", SmallInteger), Column("name", String))
EVENTS = Table("tandem_eventkey", METADATA, Column("id", SmallInteger), Column("name", String))
INTERACTIONS = Table(
    "tandem_userinteraction",
    METADATA,
    Column("id", BigInteger),
    Column("user_id", BigInteger),
    Column("item_id", BigInteger),
    Column("catalogue_id", SmallInteger),
    Column("kind_id", SmallInteger),
    Column("value", Float),
    Column("time", DateTime(timezone=True)),
    Column("request_id", Uuid),
)
QUARANTINE = Table("tandem_quarantine", METADATA, Column("user_id", BigInteger), Column("released", DateTime(timezone=True)))
LISTS = Table(
    "tandem_impression",
    METADATA,
    Column("request_id", Uuid),
    Column("user_id", BigInteger),
    Column("catalogue_id", SmallInteger),
    Column("use_case", String),
    Column("surface", String),
    Column("method_used", String),
    Column("degradation", JSON),
    Column("probabilities", JSON),
    Column("time", DateTime(timezone=True)),
)
