# needs a patched NIXL: nixl-stripe patch
export SGLANG_DISAGGREGATION_NIXL_BACKEND_PARAMS='{"stripe": "all"}'
