"""The environment of the service, read once into a frozen, checked value. Reference: docs/reference/environment.md."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from recommendation_service.core.signing import key_ring
from recommendation_service.errors import ConfigurationError

PACKAGE = Path(__file__).parent
PREFIX = "RS_"


def _override(use_case: str, default: Any, alias: str, description: str, **limits: Any) -> Any:
    """A field that overrides values in the file of `use_case` only."""
    text = f"{description} (use case {use_case})"
    return Field(default, alias=alias, description=text, json_schema_extra={"use_case": use_case}, **limits)


class Settings(BaseSettings):
    """Every variable the service reads. Names without the RS_ prefix are those of the acceptance lists."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True)

    env: Literal["dev", "production"] = Field(
        "production", alias="ENV", description="dev: readable logs; the checks stay the same"
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
        SecretStr(""), alias="RS_METRICS_TOKEN", description="Token for /metrics; empty: a token of the service"
    )
    als_model_path: Path | None = Field(
        None, alias="ALS_MODEL_PATH", description="Pin one published ALS folder, for `tandem recommend`"
    )
    two_tower_model_path: Path | None = Field(
        None, alias="TWO_TOWER_MODEL_PATH", description="Pin one published two-tower folder"
    )
    enable_als: bool = _override("startups", True, "ENABLE_ALS", "False switches the ALS engines off")
    enable_two_tower: bool = _override("startups", True, "ENABLE_TWO_TOWER", "False switches the two-tower engines off")
    enable_ensemble: bool = _override("startups", True, "ENABLE_ENSEMBLE", "False switches the ensembles off")
    ensemble_als_weight: float | None = _override(
        "startups",
        None,
        "ENSEMBLE_ALS_WEIGHT",
        "Weight of ALS in the main ensemble; a weight set here replaces learned ones",
        ge=0,
    )
    ensemble_two_tower_weight: float | None = _override(
        "startups", None, "ENSEMBLE_TWO_TOWER_WEIGHT", "Weight of two-tower, as above", ge=0
    )
    cold_start_threshold: int | None = _override(
        "startups", None, "COLD_START_THRESHOLD", "`cold_below` of every by_count router", ge=0
    )
    warm_user_threshold: int | None = _override(
        "startups", None, "WARM_USER_THRESHOLD", "`warm_below` of every by_count router", ge=0
    )
    default_recommender: str = _override(
        "courses",
        "",
        "DEFAULT_RECOMMENDER",
        "Engine that replaces the bandit, such as hybrid; empty or bandit: the bandit chooses",
        pattern=r"^[a-z][a-z0-9_]{0,39}$|^$",
    )
    hybrid_two_tower_weight: float | None = _override(
        "courses", None, "HYBRID_WEIGHTS_TWO_TOWER", "Weight of two-tower in the main ensemble", ge=0
    )
    hybrid_popularity_weight: float | None = _override(
        "courses", None, "HYBRID_WEIGHTS_POPULARITY", "Weight of popularity in the main ensemble", ge=0
    )
    hybrid_content_weight: float | None = _override(
        "courses", None, "HYBRID_WEIGHTS_CONTENT", "Weight of content in the main ensemble", ge=0
    )
    embedding_dim: int | None = _override(
        "courses", None, "EMBEDDING_DIM", "Length of the two-tower vectors, from the next training on", ge=2, le=1024
    )
    user_feature_dim: int | None = _override(
        "courses", None, "USER_FEATURE_DIM", "Length of a learned profile value; unset: EMBEDDING_DIM", ge=1, le=1024
    )
    item_feature_dim: int | None = _override(
        "courses",
        None,
        "ITEM_FEATURE_DIM",
        "Length of a learned category, tag or attribute; unset: EMBEDDING_DIM",
        ge=1,
        le=1024,
    )
    content_weight: float | None = _override(
        "shop", None, "CONTENT_WEIGHT", "Weight of text embeddings in the main ensemble", ge=0
    )
    collaborative_weight: float | None = _override(
        "shop", None, "COLLABORATIVE_WEIGHT", "Weight of the nested ensemble in the main ensemble", ge=0
    )
    popularity_weight: float | None = _override(
        "shop", None, "POPULARITY_WEIGHT", "Weight of popularity in the main ensemble", ge=0
    )
    embedding_model: str = _override(
        "shop", "", "EMBEDDING_MODEL", "Folder of a sentence-transformers model to train with; empty: TF-IDF"
    )
    embedding_dimension: int | None = _override(
        "shop", None, "EMBEDDING_DIMENSION", "Length of an item's text vector; unset: the file's value, or 384", ge=1, le=4096
    )
    use_case_overrides: dict[str, dict[str, Any]] = Field(
        {},
        alias="RS_<USE_CASE>_<NAME>",
        description="Sets a variable of this page that belongs to one use case for another one, such as RS_MOVIES_ENABLE_ALS",
    )
    cross_encoder_url: str = Field(
        "", alias="CROSS_ENCODER_URL", description="Worker that reranks, such as http://127.0.0.1:5001; empty: none"
    )
    cross_encoder_model: Path | None = Field(
        None, alias="CROSS_ENCODER_MODEL", description="Folder of the cross-encoder, for cross_encoder_server"
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

    def overrides_for(self, use_case: str) -> dict[str, Any]:
        """Return the values that were set for this use case, by field name; unset variables are left out."""
        named = {name for name, owner in OVERRIDES.items() if owner == use_case} & self.model_fields_set
        return {name: getattr(self, name) for name in named} | self.use_case_overrides.get(use_case, {})


OVERRIDES = {
    name: str(field.json_schema_extra["use_case"])
    for name, field in Settings.model_fields.items()
    if isinstance(field.json_schema_extra, dict)
}
"""Field name -> the use case whose file the variable without a prefix overrides."""


def override_variable(field: str, use_case: str) -> str:
    """Return the name of the environment variable that sets an override for a use case, such as RS_MOVIES_ENABLE_ALS."""
    alias = str(Settings.model_fields[field].alias)
    return alias if OVERRIDES[field] == use_case else f"{PREFIX}{use_case.upper()}_{alias}"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment. Raises ConfigurationError that names a wrong variable, or a misspelt one that begins with RS_."""
    source = {name: text for name, text in (os.environ if environ is None else environ).items() if text != ""}
    known = {str(field.alias) for field in Settings.model_fields.values()}
    prefixed = {name: parts for name in source if name not in known and (parts := _use_case_and_field(name))}
    unknown = sorted(name for name in source if name.startswith(PREFIX) and name not in known and name not in prefixed)
    if unknown:
        allowed = ", ".join(sorted(name for name in known if name.startswith(PREFIX)))
        raise ConfigurationError(f"unknown setting {', '.join(unknown)}; names beginning with {PREFIX} are {allowed}")
    settings = _validate({name: source[name] for name in known & source.keys()})
    overrides: dict[str, dict[str, Any]] = {}
    for name, (use_case, field) in prefixed.items():
        if not (settings.use_cases_dir / f"{use_case}.toml").is_file():
            raise ConfigurationError(f"{name}: there is no use case '{use_case}' in {settings.use_cases_dir}")
        alias = str(Settings.model_fields[field].alias)
        overrides.setdefault(use_case, {})[field] = getattr(_validate({alias: source[name]}, name), field)
    return settings.model_copy(update={"use_case_overrides": overrides})


def _use_case_and_field(variable: str) -> tuple[str, str] | None:
    """Split RS_MOVIES_ENABLE_ALS into ("movies", "enable_als"); None if it names no override."""
    for field in OVERRIDES:
        suffix = f"_{Settings.model_fields[field].alias}"
        use_case = variable.removeprefix(PREFIX).removesuffix(suffix).lower()
        if variable.startswith(PREFIX) and variable.endswith(suffix) and use_case:
            return use_case, field
    return None


def _validate(values: Mapping[str, str], variable: str = "") -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problem = error.errors()[0]
        message = problem["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{variable or problem['loc'][0]}: {message}") from error
