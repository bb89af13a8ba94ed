#pragma once

/* Identity: who calls, and what their role lets them do. Pure. */

#include "base/record.h"

/* The tenant that exists from the first migration on. */
#define TENANT_DEFAULT "00000000-0000-7000-8000-000000000001"

/* Five roles (DOMAIN §12, 13): agent_admin and workflow_admin do not imply each other. */
#define ROLES(X)                                                                                   \
    X(ROLE_VIEWER, 1, "viewer")                                                                    \
    X(ROLE_OPERATOR, 2, "operator")                                                                \
    X(ROLE_AGENT_ADMIN, 3, "agent_admin")                                                          \
    X(ROLE_WORKFLOW_ADMIN, 4, "workflow_admin")                                                    \
    X(ROLE_ORG_ADMIN, 5, "org_admin")
RV_ENUM_DECLARE(role, ROLES)

/* Sets of roles, for a route: who may call it. */
enum role_set {
    MAY_ANYBODY = 0, /* no key needed */
    MAY_ADMINISTER = 1 << ROLE_ORG_ADMIN,
    MAY_EDIT_AGENTS = MAY_ADMINISTER | 1 << ROLE_AGENT_ADMIN,
    MAY_EDIT_WORKFLOWS = MAY_ADMINISTER | 1 << ROLE_WORKFLOW_ADMIN,
    MAY_EDIT = MAY_EDIT_AGENTS | MAY_EDIT_WORKFLOWS,
    MAY_OPERATE = MAY_EDIT | 1 << ROLE_OPERATOR,
    MAY_VIEW = MAY_OPERATE | 1 << ROLE_VIEWER,
};

bool role_may(enum role role, unsigned roles);

/* A key as its owner sees it. @key is the whole text and is there once, when it is made. */
struct api_key {
    const char *tenant_id;
    const char *key_id; /* the 12 letters after the prefix */
    const char *name, *prefix, *key, *key_hash;
    enum role role;
    const char *project_id; /* NULL: all projects of the tenant */
    int64_t created_at_ms, expires_at_ms, last_used_at_ms, revoked_at_ms; /* 0: never */
};
extern const struct rv_record api_key_record;

/* Whether the key may be used at @now_ms. */
bool api_key_valid(const struct api_key *key, int64_t now_ms);
