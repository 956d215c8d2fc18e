# needs a patched NIXL: nixl-stripe patch
export NIXL_UCX_STRIPE=all
