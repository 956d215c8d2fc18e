# needs a patched NIXL: nixl-stripe patch
export DYN_KVBM_NIXL_BACKEND_UCX_STRIPE=all
