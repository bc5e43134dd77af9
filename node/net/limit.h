/* SPDX-License-Identifier: MPL-2.0 */
/*
 * How often strangers are answered: by source prefix (/24 of IPv4, /56 of IPv6) and in all.
 * It owns a table of fixed size; prefixes that fall on one place share what it allows. It never
 * reads a clock.
 */
#pragma once

#include <glib.h>

#include "mesh/path.h"

/* Answers per second to one prefix, and at once after a rest. */
#define NET_LIMIT_PREFIX_RATE  16
#define NET_LIMIT_PREFIX_BURST 64

typedef struct NetLimit NetLimit;

NetLimit *net_limit_create(void);
/* NULL-safe. */
void net_limit_destroy(NetLimit *limit);
/* Whether one more answer may go there now; if so it is counted. */
gboolean net_limit_allow(NetLimit *limit, const MeshPath *to, gint64 now_us);
