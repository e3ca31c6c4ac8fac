"""What every part of the settings has in common."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Port = Annotated[int, Field(ge=0, le=65535)]


class Part(BaseSettings):
    """One part of the tree; fields are given by name in tests and by variable everywhere else."""

    model_config = SettingsConfigDict(
        env_prefix="LAUREL_",
        allow_inf_nan=False,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # a rejected value may be a secret
        populate_by_name=True,
        validate_default=True,
    )
