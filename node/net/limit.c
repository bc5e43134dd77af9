/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/limit.h"

#define TABLE_BITS  10
#define TOTAL_RATE  256
#define TOTAL_BURST 512

/* One bucket by the generic cell rate algorithm: empty again at `empty_us`. */
typedef struct {
    guint64 prefix;
    gint64 empty_us;
} Bucket;

struct NetLimit {
    guint64 multiplier; /* a secret, so that nobody aims at another's place in the table */
    Bucket total;
    Bucket table[1 << TABLE_BITS];
};

NetLimit *net_limit_create(void) {
    NetLimit *limit = g_new0(NetLimit, 1);
    limit->multiplier = ((guint64)g_random_int() << 32 | g_random_int()) | 1;
    return limit;
}

void net_limit_destroy(NetLimit *limit) {
    g_free(limit);
}

static guint64 prefix_of(const MeshPath *path) {
    guint64 prefix = path->family;
    for (guint i = 0; i < 7; i++) {
        prefix = prefix << 8 | (path->family == 6 || i < 3 ? path->ip[i] : 0);
    }
    return prefix;
}

static gboolean has_room(const Bucket *bucket, gint64 now_us, gint64 rate, gint64 burst) {
    return bucket->empty_us - now_us <= (burst - 1) * G_USEC_PER_SEC / rate;
}

static void fill(Bucket *bucket, gint64 now_us, gint64 rate) {
    bucket->empty_us = MAX(bucket->empty_us, now_us) + G_USEC_PER_SEC / rate;
}

gboolean net_limit_allow(NetLimit *limit, const MeshPath *to, gint64 now_us) {
    guint64 prefix = prefix_of(to);
    Bucket *bucket = &limit->table[(prefix * limit->multiplier) >> (64 - TABLE_BITS)];
    if (bucket->prefix != prefix && bucket->empty_us <= now_us) {
        *bucket = (Bucket){.prefix = prefix};
    }
    if (!has_room(bucket, now_us, NET_LIMIT_PREFIX_RATE, NET_LIMIT_PREFIX_BURST) ||
        !has_room(&limit->total, now_us, TOTAL_RATE, TOTAL_BURST)) {
        return FALSE;
    }
    fill(bucket, now_us, NET_LIMIT_PREFIX_RATE);
    fill(&limit->total, now_us, TOTAL_RATE);
    return TRUE;
}
