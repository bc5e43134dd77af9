/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/watch.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <linux/if.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "node/net/netlink.h"

#define SETTLE_MS    200
#define SLEPT_MS     1000 /* less is the difference between two readings */
#define TURN_PARTS   64
#define PART_SIZE    16384
#define FAR_AWAY_S   315360000 /* ten years */
#define LINK_MATTERS (IFF_UP | IFF_RUNNING)

struct NetWatch {
    NetWatchChanged changed;
    gpointer data;
    GHashTable *links; /* index → its flags that matter */
    gint64 asleep_ms;  /* since the machine started, as last seen */
    gboolean woke;     /* since it was last told */
    int netlink;
    int clock;
    guint netlink_source;
    guint clock_source;
    guint settle_source;
};

static gint64 now_ms(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (gint64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* CLOCK_MONOTONIC stands still while the machine sleeps, CLOCK_BOOTTIME goes on. */
static gint64 asleep_ms(void) {
    return now_ms(CLOCK_BOOTTIME) - now_ms(CLOCK_MONOTONIC);
}

static gboolean settled(gpointer data) {
    NetWatch *watch = data;
    gboolean woke = watch->woke;
    watch->settle_source = 0;
    watch->woke = FALSE;
    watch->changed(watch->data, woke);
    return G_SOURCE_REMOVE;
}

static void settle(NetWatch *watch) {
    if (watch->settle_source == 0) {
        watch->settle_source = g_timeout_add(SETTLE_MS, settled, watch);
    }
}

static void take_link(NetWatch *watch, const struct nlmsghdr *message) {
    NetNetlink attributes;
    const struct ifinfomsg *link = net_netlink_header(message, sizeof *link, &attributes);
    if (link == NULL) {
        return;
    }
    gpointer index = GINT_TO_POINTER(link->ifi_index);
    gpointer before = NULL;
    guint flags = message->nlmsg_type == RTM_DELLINK ? 0 : link->ifi_flags & LINK_MATTERS;
    gboolean known = g_hash_table_lookup_extended(watch->links, index, NULL, &before);
    if (known && GPOINTER_TO_UINT(before) == flags) {
        return; /* counters, wireless news */
    }
    watch->woke |= known;
    if (message->nlmsg_type == RTM_DELLINK) {
        g_hash_table_remove(watch->links, index);
    } else {
        g_hash_table_insert(watch->links, index, GUINT_TO_POINTER(flags));
    }
    settle(watch);
}

static void take_part(NetWatch *watch, const guint8 *part, gsize length) {
    NetNetlink rest = {.at = part, .left = length};
    for (const struct nlmsghdr *message; (message = net_netlink_message(&rest)) != NULL;) {
        switch (message->nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK:
            take_link(watch, message);
            break;
        case RTM_NEWADDR:
        case RTM_DELADDR:
            settle(watch);
            break;
        default:
            break;
        }
    }
}

static gboolean netlink_readable(gint descriptor, GIOCondition condition, gpointer data) {
    NetWatch *watch = data;
    _Alignas(struct nlmsghdr) guint8 part[PART_SIZE];
    for (int turn = 0; turn < TURN_PARTS; turn++) {
        gssize length = recv(descriptor, part, sizeof part, MSG_DONTWAIT);
        if (length > 0) {
            take_part(watch, part, (gsize)length);
        } else if (length < 0 && errno == ENOBUFS) {
            settle(watch); /* news were lost: look again */
        } else {
            break;
        }
    }
    return G_SOURCE_CONTINUE;
}

/* The kernel cancels such a timer when the wall clock jumps, and it does after each sleep. */
static gboolean arm_clock(NetWatch *watch) {
    struct itimerspec never = {.it_value.tv_sec = now_ms(CLOCK_REALTIME) / 1000 + FAR_AWAY_S};
    return timerfd_settime(watch->clock, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never,
                           NULL) == 0 ||
           errno == ECANCELED;
}

static gboolean clock_readable(gint descriptor, GIOCondition condition, gpointer data) {
    NetWatch *watch = data;
    guint64 expired;
    gssize length = read(descriptor, &expired, sizeof expired);
    if (length < 0 && errno == EAGAIN) {
        return G_SOURCE_CONTINUE;
    }
    arm_clock(watch);
    gint64 asleep = asleep_ms();
    if (asleep - watch->asleep_ms >= SLEPT_MS) {
        watch->woke = TRUE;
        settle(watch);
    }
    watch->asleep_ms = asleep;
    return G_SOURCE_CONTINUE;
}

static gboolean open_both(NetWatch *watch) {
    struct sockaddr_nl groups = {.nl_family = AF_NETLINK,
                                 .nl_groups =
                                     RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR};
    watch->netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (watch->netlink < 0 || bind(watch->netlink, (struct sockaddr *)&groups, sizeof groups) < 0) {
        return FALSE;
    }
    watch->clock = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    return watch->clock >= 0 && arm_clock(watch);
}

NetWatch *net_watch_create(NetWatchChanged changed, gpointer data, GError **error) {
    NetWatch *watch = g_new0(NetWatch, 1);
    watch->changed = changed;
    watch->data = data;
    watch->links = g_hash_table_new(NULL, NULL);
    watch->asleep_ms = asleep_ms();
    watch->netlink = watch->clock = -1;
    if (!open_both(watch)) {
        int code = errno;
        g_set_error_literal(error, G_IO_ERROR, g_io_error_from_errno(code), g_strerror(code));
        net_watch_destroy(watch);
        return NULL;
    }
    watch->netlink_source = g_unix_fd_add(watch->netlink, G_IO_IN, netlink_readable, watch);
    watch->clock_source = g_unix_fd_add(watch->clock, G_IO_IN, clock_readable, watch);
    return watch;
}

void net_watch_destroy(NetWatch *watch) {
    if (watch == NULL) {
        return;
    }
    g_clear_handle_id(&watch->netlink_source, g_source_remove);
    g_clear_handle_id(&watch->clock_source, g_source_remove);
    g_clear_handle_id(&watch->settle_source, g_source_remove);
    if (watch->netlink >= 0) {
        close(watch->netlink);
    }
    if (watch->clock >= 0) {
        close(watch->clock);
    }
    g_hash_table_unref(watch->links);
    g_free(watch);
}
