"""What a model name stands for: provider, address, key and price. Knows nothing of litellm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from flowide.agents.definition import AgentDefinition
from flowide.errors import AuthFailed, BadInput
from flowide.patterns import lazy
from flowide.settings import Model as ModelSettings

SILENCE_S = 60.0
"""Seconds without a word after which an attempt is given up, unless something else is set."""


class Target(Struct, frozen=True, kw_only=True):
    """Where a call goes."""

    model: str
    """As litellm wants it: `provider/name`, or a name that it knows."""
    shown: str
    """As the user wrote it."""
    api_base: str | None = None
    api_key: str | None = None
    """None = litellm finds it in its environment."""
    missing: str = ""
    """The environment variable that should hold a key and does not; empty when nothing is missing."""
    price_in: float | None = None
    price_out: float | None = None
    silence_s: float | None = None
    """None = nothing else is set for this model."""

    def __repr__(self) -> str:
        return f"Target({self.model!r} at {self.api_base or 'the provider'})"

    def check(self) -> None:
        """Raise AuthFailed when the key is not there."""
        if self.missing:
            raise AuthFailed(
                f"no key for {self.shown}: {self.missing} is not set",
                hint=f"export {self.missing}=… or choose another model (ollama/…, an api_base, a scripted agent).",
                model=self.shown,
                variable=self.missing,
            )


_KEYS: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "azure": ("AZURE_API_KEY", "AZURE_AD_TOKEN", "AZURE_CLIENT_ID"),
    "mistral": ("MISTRAL_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "xai": ("XAI_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"),
    "fireworks_ai": (
        "FIREWORKS_API_KEY",
        "FIREWORKS_AI_API_KEY",
        "FIREWORKSAI_API_KEY",
        "FIREWORKS_AI_TOKEN",
    ),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "cerebras": ("CEREBRAS_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
}
"""Where a provider's key may be; a provider that is not listed is asked without looking first."""


def key_variables() -> list[str]:
    """All variables in which a provider's key may be."""
    return [name for names in _KEYS.values() for name in names]


_BASES: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
    "ollama_chat": ("OLLAMA_API_BASE", "OLLAMA_HOST"),
}
_BARE = ((lazy(r"gpt-|chatgpt-|o\d"), "openai"), (lazy(r"claude-"), "anthropic"))
_CLAUDE = {"opus": "claude-opus-4-5", "sonnet": "claude-sonnet-4-5", "haiku": "claude-haiku-4-5"}
"""The short names that `.claude/agents` files use, unless an alias of the settings has that name."""
_NO_KEY = "none"
"""Sent to servers of the user's own that ask for none; the OpenAI client insists on a key."""


def model_settings(alias: str, table: ModelSettings | Mapping[str, Any]) -> ModelSettings:
    """A `[models.<alias>]` table, checked.

    Raises:
        BadInput: A field is unknown, missing or of the wrong type.
    """
    if isinstance(table, ModelSettings):
        return table
    try:
        return msgspec.convert(dict(table), ModelSettings)
    except msgspec.ValidationError as error:
        fields = ", ".join(field.name for field in msgspec.structs.fields(ModelSettings))
        raise BadInput(
            f"[models.{alias}]: {str(error).replace(' - at `$.', ' (`').replace('`$', '`')}",
            hint=f"Fields: {fields}.",
            alias=alias,
        ) from None


def resolve(
    name: str, models: Mapping[str, ModelSettings | Mapping[str, Any]], env: Mapping[str, str]
) -> Target:
    """Where a model name or an alias leads.

    Raises:
        BadInput: The alias' settings are wrong.
    """
    table = (
        model_settings(name, models[name]) if name in models else ModelSettings(model=_CLAUDE.get(name, name))
    )
    provider, model = _provider(table)
    own_server = table.api_base is not None
    base = table.api_base or _first(env, _BASES.get(provider, ()))
    if provider == "ollama_chat" and base and "://" not in base:
        base = f"http://{base}"
    key, missing = _key(
        table, provider, env, keyless=own_server or (provider == "openai" and base is not None)
    )
    return Target(
        model=model,
        shown=name,
        api_base=base,
        api_key=key,
        missing=missing,
        price_in=table.price_in,
        price_out=table.price_out,
        silence_s=table.silence_s,
    )


def target_of(
    agent: AgentDefinition,
    models: Mapping[str, ModelSettings | Mapping[str, Any]],
    env: Mapping[str, str],
    model: str | None = None,
) -> Target:
    """Where the calls of an agent go; `model` goes before its own.

    Raises:
        BadInput: It has no model, or the alias' settings are wrong.
    """
    name = model or agent.model
    if name is None:
        raise BadInput(
            f"@{agent.handle} has no model",
            hint="Add 'model: …' to its agent file, or give --model.",
            agent=agent.handle,
        )
    return resolve(name, models, env)


def _provider(table: ModelSettings) -> tuple[str, str]:
    """The provider, and the model's full name; the provider is empty when only litellm can tell."""
    head, slash, rest = table.model.partition("/")
    if slash and head in ("ollama", "ollama_chat"):
        return "ollama_chat", f"ollama_chat/{rest}"  # the plain one loses the system message's role
    if slash and (head in _KEYS or table.api_base is None):
        return head, table.model
    for pattern, provider in _BARE:
        if table.api_base is None and pattern.match(table.model):
            return provider, f"{provider}/{table.model}"
    if table.api_base is not None:
        return "openai", table.model if slash and _is_provider(head) else f"openai/{table.model}"
    return "", table.model


def _is_provider(head: str) -> bool:
    """Whether litellm would know this as a provider; other first parts belong to the model's own name."""
    return head in _KEYS or head in _OTHER_PROVIDERS


_OTHER_PROVIDERS = {
    *(
        "azure_ai",
        "bedrock",
        "custom_openai",
        "databricks",
        "deepinfra",
        "github",
        "hosted_vllm",
        "huggingface",
    ),
    *(
        "litellm_proxy",
        "llamafile",
        "lm_studio",
        "sagemaker",
        "text-completion-openai",
        "vertex_ai",
        "watsonx",
    ),
}


def _key(
    table: ModelSettings, provider: str, env: Mapping[str, str], *, keyless: bool
) -> tuple[str | None, str]:
    """The key, and the variable that is missing."""
    if table.key_env is not None:
        key = env.get(table.key_env) or None
        return key, "" if key else table.key_env
    if table.api_base is not None:
        return _NO_KEY, ""  # the provider's own key is never sent to another address unasked
    variables = _KEYS.get(provider, ())
    key = _first(env, variables)
    if key or not variables:
        return key, ""
    return (_NO_KEY, "") if keyless else (None, variables[0])


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((env[name] for name in names if env.get(name)), None)
