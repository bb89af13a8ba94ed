#include "domain/identity.h"

RV_ENUM_DEFINE(role, ROLES)

/* clang-format off */
static const struct rv_field api_key_fields[] = {
    RV_UUID(api_key, tenant_id, RV_SECRET | RV_READONLY),
    RV_TEXT(api_key, key_id, RV_READONLY),
    RV_TEXT(api_key, name, RV_REQUIRED),
    RV_TEXT(api_key, prefix, RV_UNSET),
    RV_TEXT(api_key, key, RV_READONLY | RV_UNSET),
    RV_TEXT(api_key, key_hash, RV_SECRET | RV_READONLY),
    RV_ENUM(api_key, role, role, RV_REQUIRED),
    RV_UUID(api_key, project_id, RV_UNSET),
    RV_INT(api_key,  created_at_ms, RV_READONLY),
    RV_INT(api_key,  expires_at_ms, RV_UNSET),
    RV_INT(api_key,  last_used_at_ms, RV_READONLY | RV_UNSET),
    RV_INT(api_key,  revoked_at_ms, RV_READONLY | RV_UNSET),
};
RV_RECORD(api_key, api_key_fields);
/* clang-format on */

bool role_may(enum role role, unsigned roles)
{
    return roles == MAY_ANYBODY || (roles >> role & 1);
}

bool api_key_valid(const struct api_key *key, int64_t now_ms)
{
    return !key->revoked_at_ms && (!key->expires_at_ms || now_ms < key->expires_at_ms);
}
