# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Byte sizes of the tensors of a weight refit: Qwen3-4B as vLLM holds it, 290 tensors, 8.04 GB.

Source: the model's published configuration (36 layers, hidden size 2560, 32 heads and 8 KV heads of
128, intermediate size 9728, vocabulary 151936, tied embeddings, bfloat16), with q, k, v and gate,
up fused as vLLM fuses them: 36 x 8 tensors, the embedding and the last norm.
"""

from __future__ import annotations

_LAYERS = 36
_HIDDEN = 2560
_HEADS, _KV_HEADS, _HEAD = 32, 8, 128
_INTERMEDIATE = 9728
_VOCABULARY = 151936
_BYTES = 2  # bfloat16

#: Norms and the like keep their real size when the rest is scaled: small ones are half the point.
_SMALL = 16 << 10
_ALIGN = 512


def qwen3_4b(scale: float = 1.0) -> tuple[int, ...]:
    """Return the 290 sizes in bytes, in the order of the model.

    scale: factor on each tensor above 16 KiB, which stays above it, 0 < scale <= 1 (ValueError).
    """
    if not 0 < scale <= 1:
        raise ValueError(f"scale={scale:g}: accepted are numbers above 0, at most 1")
    return tuple(_scaled(_BYTES * elements, scale) for elements in _elements())


def _elements() -> list[int]:
    layer = [
        _HIDDEN,  # input_layernorm
        (_HEADS + 2 * _KV_HEADS) * _HEAD * _HIDDEN,  # qkv_proj
        _HEAD,  # q_norm
        _HEAD,  # k_norm
        _HIDDEN * _HEADS * _HEAD,  # o_proj
        _HIDDEN,  # post_attention_layernorm
        2 * _INTERMEDIATE * _HIDDEN,  # gate_up_proj
        _HIDDEN * _INTERMEDIATE,  # down_proj
    ]
    return [_VOCABULARY * _HIDDEN, *layer * _LAYERS, _HIDDEN]


def _scaled(size: int, scale: float) -> int:
    if size <= _SMALL or scale == 1:
        return size
    return max(_SMALL + _ALIGN, round(size * scale / _ALIGN) * _ALIGN)
