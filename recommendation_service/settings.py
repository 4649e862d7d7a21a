"""The environment of the service, read once into a frozen, checked value. Reference: docs/reference/environment.md."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from recommendation_service.core.signing import key_ring
from recommendation_service.errors import ConfigurationError

PACKAGE = Path(__file__).parent
PREFIX = "RS_"


class Settings(BaseSettings):
    """Every variable the service reads. Names without the RS_ prefix are those of the acceptance lists."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    env: Literal["dev", "production"] = Field(
        "production", alias="ENV", description="dev: friendlier logs, never weaker checks"
    )
    host: str = Field("127.0.0.1", alias="RS_HOST", description="Address to listen on")
    port: int = Field(5000, alias="RS_PORT", ge=0, le=65535, description="Port to listen on")
    workers: int = Field(2, alias="RS_WORKERS", ge=1, le=64, description="gunicorn worker processes")
    threads: int = Field(4, alias="RS_THREADS", ge=1, le=64, description="Threads per worker")
    data_dir: Path = Field(PACKAGE / "data", alias="RS_DATA_DIR", description="Where exports are read")
    models_dir: Path = Field(PACKAGE / "models", alias="RS_MODELS_DIR", description="Where models are read and published")
    use_cases: str = Field(
        "", alias="RS_USE_CASES", description="Comma-separated use cases to serve; empty: every one that has a file"
    )
    use_cases_dir: Path = Field(PACKAGE / "use_cases", alias="RS_USE_CASES_DIR", description="Folder of use-case files")
    signing_keys: SecretStr = Field(
        SecretStr(""),
        alias="RS_SIGNING_KEYS",
        description="kid:secret,kid:secret; the first signs, all verify; 32 bytes or more each",
    )
    insecure_dev: bool = Field(
        False, alias="RS_INSECURE_DEV", description="Serve without tokens; only with ENV=dev on a loopback address"
    )
    database_url: SecretStr = Field(
        SecretStr(""), alias="RS_DATABASE_URL", description="Live history for direct calls; empty: the export"
    )
    db_host: str = Field("", alias="RS_DB_HOST", description="Builds RS_DATABASE_URL for PostgreSQL when that is empty")
    db_port: int = Field(5432, alias="RS_DB_PORT", description="See RS_DB_HOST")
    db_name: str = Field("", alias="RS_DB_NAME", description="See RS_DB_HOST")
    db_user: str = Field("", alias="RS_DB_USER", description="See RS_DB_HOST")
    db_password: SecretStr = Field(SecretStr(""), alias="RS_DB_PASSWORD", description="See RS_DB_HOST")
    statement_timeout_ms: int = Field(100, alias="RS_STATEMENT_TIMEOUT_MS", ge=1, description="Longest history query")
    reload_seconds: float = Field(
        2.0, alias="RS_RELOAD_SECONDS", ge=0, description="How often workers look for new models; 0: never"
    )
    log_file: Path = Field(PACKAGE / "logs" / "app.log", alias="RS_LOG_FILE", description="Log lines also go here")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="RS_LOG_LEVEL", description="Least level logged"
    )
    metrics_token: SecretStr = Field(
        SecretStr(""), alias="RS_METRICS_TOKEN", description="Bearer word for /metrics; empty: a service token"
    )
    enable_als: bool = Field(True, alias="ENABLE_ALS", description="Switch ALS off without touching a use-case file")
    enable_two_tower: bool = Field(True, alias="ENABLE_TWO_TOWER", description="Switch the two-tower model off")
    enable_ensemble: bool = Field(True, alias="ENABLE_ENSEMBLE", description="Switch the ensemble off")
    als_model_path: Path | None = Field(
        None, alias="ALS_MODEL_PATH", description="Pin one published ALS folder, for `cli recommend`"
    )
    two_tower_model_path: Path | None = Field(
        None, alias="TWO_TOWER_MODEL_PATH", description="Pin one published two-tower folder"
    )
    ensemble_als_weight: float | None = Field(
        None, alias="ENSEMBLE_ALS_WEIGHT", ge=0, description="Overrides the file; like all weights, selects stated ones"
    )
    ensemble_two_tower_weight: float | None = Field(None, alias="ENSEMBLE_TWO_TOWER_WEIGHT", ge=0, description="As above")
    default_recommender: str = Field(
        "",
        alias="DEFAULT_RECOMMENDER",
        pattern=r"^[a-z][a-z0-9_]{0,39}$|^$",
        description="Engine that goes first where a bandit would choose, such as hybrid; bandit or empty: it chooses",
    )
    hybrid_two_tower_weight: float | None = Field(
        None, alias="HYBRID_WEIGHTS_TWO_TOWER", ge=0, description="Of a blend of exactly two-tower, popularity and content"
    )
    hybrid_popularity_weight: float | None = Field(None, alias="HYBRID_WEIGHTS_POPULARITY", ge=0, description="As above")
    hybrid_content_weight: float | None = Field(None, alias="HYBRID_WEIGHTS_CONTENT", ge=0, description="As above")
    content_weight: float | None = Field(
        None, alias="CONTENT_WEIGHT", ge=0, description="Of a blend of text vectors, another blend and popularity, such as shop"
    )
    collaborative_weight: float | None = Field(None, alias="COLLABORATIVE_WEIGHT", ge=0, description="As above")
    popularity_weight: float | None = Field(None, alias="POPULARITY_WEIGHT", ge=0, description="As above")
    embedding_dim: int | None = Field(
        None, alias="EMBEDDING_DIM", ge=2, le=1024, description="Length of the two-tower vectors, at the next training"
    )
    user_feature_dim: int | None = Field(
        None,
        alias="USER_FEATURE_DIM",
        ge=1,
        le=1024,
        description="Numbers that a profile value is learned as before it meets the tower; unset: as many as EMBEDDING_DIM",
    )
    item_feature_dim: int | None = Field(
        None, alias="ITEM_FEATURE_DIM", ge=1, le=1024, description="As above, for categories, tags and attributes of items"
    )
    cold_start_threshold: int | None = Field(None, alias="COLD_START_THRESHOLD", ge=0, description="Below it: content_based")
    warm_user_threshold: int | None = Field(None, alias="WARM_USER_THRESHOLD", ge=0, description="From it on: ensemble")

    embedding_model: str = Field(
        "", alias="EMBEDDING_MODEL", description="Folder of a sentence-transformers model to train with; empty: TF-IDF"
    )
    embedding_dimension: int | None = Field(
        None, alias="EMBEDDING_DIMENSION", ge=1, le=4096, description="Numbers in an item's vector; unset: the file's, or 384"
    )
    cross_encoder_url: str = Field(
        "", alias="CROSS_ENCODER_URL", description="Worker that reranks, such as http://127.0.0.1:5001; empty: none"
    )
    cross_encoder_model: Path | None = Field(
        None, alias="CROSS_ENCODER_MODEL", description="Folder of the cross-encoder, for serve_cross_encoder"
    )

    @field_validator("signing_keys")
    @classmethod
    def _keys_are_long(cls, raw: SecretStr) -> SecretStr:
        try:
            key_ring(raw.get_secret_value())
        except ConfigurationError as error:
            raise ValueError(error.message.removeprefix("RS_SIGNING_KEYS: ")) from error
        return raw

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over, so that a test's environment is the whole environment."""
        return (init_settings,)

    def keys(self) -> dict[str, bytes]:
        """Signing keys by key id, the signing one first."""
        return key_ring(self.signing_keys.get_secret_value())


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ConfigurationError naming the variable, or a misspelt RS_ one."""
    source = dict(os.environ if environ is None else environ)
    known = {str(field.alias) for field in Settings.model_fields.values()}
    unknown = sorted(name for name in source if name.startswith(PREFIX) and name not in known)
    if unknown:
        allowed = ", ".join(sorted(name for name in known if name.startswith(PREFIX)))
        raise ConfigurationError(f"unknown setting {', '.join(unknown)}; names beginning with {PREFIX} are {allowed}")
    try:
        return Settings.model_validate({name: source[name] for name in known if source.get(name, "") != ""})
    except ValidationError as error:
        problem = error.errors()[0]
        raise ConfigurationError(f"{problem['loc'][0]}: {problem['msg'].removeprefix('Value error, ')}") from error
