/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Nodes as the tests of node/net need them: a Net, and all that it told.
 * It owns what it kept, until rig_stop. It never waits for time to pass, only for events.
 */
#pragma once

#include <glib.h>

#include "node/net/net.h"

typedef struct {
    guint owner;
    MeshPath path;
    GBytes *bytes;
} RigDatagram;

typedef struct {
    Net *net;
    GPtrArray *datagrams; /* RigDatagram */
    MeshPath addresses[MESH_ADDRESSES_MAX];
    gsize address_count;
    guint told;
    gboolean woke;
    GHashTable *offers; /* agent → GBytes */
    GHashTable *states; /* agent → 1 up, 2 gone */
    /* Called within the handler, if set. */
    void (*on_offer)(gpointer rig, guint owner, guint32 agent);
    void (*on_state)(gpointer rig, guint owner, guint32 agent);
    void (*on_datagram)(gpointer rig, const RigDatagram *datagram);
} Rig;

/* A started Net on any port. */
void rig_start(Rig *rig, const char *stun_server);
void rig_stop(Rig *rig);
/* Whether a datagram with just these characters came; `ret_datagram` may be NULL. */
gboolean rig_got(const Rig *rig, const char *text, RigDatagram *ret_datagram);
/* How many datagrams came from a port: beacons of other nodes on this machine are heard too. */
guint rig_got_from(const Rig *rig, guint16 port);
/* Whether this machine has IPv6; where not, the running test is marked as skipped. */
gboolean rig_has_v6(void);
/* A KNOCK path to this node on the loopback of a family. */
MeshPath rig_path(const Rig *rig, guint8 family);
Bytes rig_bytes(const char *text);
guint rig_state(const Rig *rig, guint32 agent);
Bytes rig_offer(const Rig *rig, guint32 agent);
/* Fails the test when nothing has come of it in time; ended by g_source_remove. */
guint rig_alarm(const char *what);

#define rig_wait(condition)                                                                        \
    do {                                                                                           \
        guint alarm_source = rig_alarm(#condition);                                                \
        while (!(condition)) {                                                                     \
            g_main_context_iteration(NULL, TRUE);                                                  \
        }                                                                                          \
        g_source_remove(alarm_source);                                                             \
    } while (FALSE)
