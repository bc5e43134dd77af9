/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/ice.h"

#include <nice/agent.h>
#include <string.h>

#include "node/net/address.h"
#include "node/net/offer.h"
#include "node/net/stun.h"

#define AGENTS_COUNT   128 /* at once, of all owners */
#define CHECKING_COUNT 2
#define SERVERS_COUNT  3 /* asked one after the other */
#define COMPONENT      1

/* libnice: its consent freshness would end nine of ten pairs on a line that loses 10 %. */
#define PACING_MS           50
#define RETRANSMISSIONS     7
#define IDLE_TIMEOUT_MS     15000
#define GATHER_MS           2000  /* three requests to a server; then without it */
#define TURN_MS             8000  /* checking while others wait; later it is only repetitions */
#define CHECKING_TIMEOUT_MS 40000 /* the seventh repetition leaves after 32 s */

typedef enum {
    AGENT_NEW, /* waits for the loop */
    AGENT_GATHERING,
    AGENT_GATHERED, /* to be told */
    AGENT_OFFERED,  /* waits for the other side's offer */
    AGENT_QUEUED,   /* waits for its turn to check */
    AGENT_CHECKING,
    AGENT_LATE,      /* still checks, but its turn is over */
    AGENT_CONNECTED, /* to be told */
    AGENT_UP,
    AGENT_FAILED, /* to be told */
} AgentState;

typedef struct {
    NetIce *ice;
    guint owner;
    guint32 number;
    AgentState state;
    gboolean controlling;
    MeshPath servers[SERVERS_COUNT];
    guint server_count;
    guint server; /* the one in use */
    NetOffer *remote;
    NiceAgent *nice;
    guint stream;
    guint timer;
} Agent;

struct NetIce {
    NetHandler handler;
    NetCounters *counters;
    GPtrArray *agents;  /* Agent, in the order of their start */
    GPtrArray *retired; /* NiceAgent: given up where libnice might be their caller */
    GArray *addresses;  /* NetAddress */
    guint work;
};

static gboolean work(gpointer data);

static void work_soon(NetIce *ice) {
    if (ice->work == 0) {
        ice->work = g_timeout_add(0, work, ice);
    }
}

static void move_to(Agent *agent, AgentState state, guint timeout_ms);

static gboolean has_reflexive(const Agent *agent) {
    gboolean found = FALSE;
    GSList *candidates = nice_agent_get_local_candidates(agent->nice, agent->stream, COMPONENT);
    for (GSList *item = candidates; item != NULL; item = item->next) {
        const NiceCandidate *candidate = item->data;
        found |= candidate->type == NICE_CANDIDATE_TYPE_SERVER_REFLEXIVE;
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
    return found;
}

/* Lets go of libnice's agent, from wherever this is called. */
static void retire(Agent *agent) {
    if (agent->nice != NULL) {
        g_signal_handlers_disconnect_by_data(agent->nice, agent);
        nice_agent_attach_recv(agent->nice, agent->stream, COMPONENT, NULL, NULL, NULL);
        g_ptr_array_add(agent->ice->retired, agent->nice);
        agent->nice = NULL;
        work_soon(agent->ice);
    }
}

static void agent_free(Agent *agent) {
    g_clear_handle_id(&agent->timer, g_source_remove);
    retire(agent);
    g_free(agent->remote);
    g_free(agent);
}

static gboolean timed_out(gpointer data) {
    Agent *agent = data;
    agent->timer = 0;
    switch (agent->state) {
    case AGENT_GATHERING:
        if (agent->server + 1 < agent->server_count && !has_reflexive(agent)) {
            agent->server++;
            retire(agent);
            move_to(agent, AGENT_NEW, 0);
        } else {
            move_to(agent, AGENT_GATHERED, 0);
        }
        break;
    case AGENT_CHECKING:
        move_to(agent, AGENT_LATE, CHECKING_TIMEOUT_MS - TURN_MS);
        break;
    case AGENT_LATE:
        move_to(agent, AGENT_FAILED, 0);
        break;
    case AGENT_NEW:
    case AGENT_GATHERED:
    case AGENT_OFFERED:
    case AGENT_QUEUED:
    case AGENT_CONNECTED:
    case AGENT_UP:
    case AGENT_FAILED:
        break;
    }
    return G_SOURCE_REMOVE;
}

/* `timeout_ms` 0: the new state has no end of its own. */
static void move_to(Agent *agent, AgentState state, guint timeout_ms) {
    g_clear_handle_id(&agent->timer, g_source_remove);
    agent->state = state;
    if (timeout_ms > 0) {
        agent->timer = g_timeout_add(timeout_ms, timed_out, agent);
    }
    work_soon(agent->ice);
}

/* ---- what libnice calls ---- */

static void on_gathered(NiceAgent *nice, guint stream, gpointer data) {
    Agent *agent = data;
    if (agent->state == AGENT_GATHERING) {
        move_to(agent, AGENT_GATHERED, 0);
    }
}

static void on_state(NiceAgent *nice, guint stream, guint component, guint state, gpointer data) {
    Agent *agent = data;
    gboolean checking = agent->state == AGENT_CHECKING || agent->state == AGENT_LATE;
    if (checking &&
        (state == NICE_COMPONENT_STATE_CONNECTED || state == NICE_COMPONENT_STATE_READY)) {
        move_to(agent, AGENT_CONNECTED, 0);
    } else if (state == NICE_COMPONENT_STATE_FAILED &&
               (checking || agent->state == AGENT_CONNECTED || agent->state == AGENT_UP)) {
        move_to(agent, AGENT_FAILED, 0);
    }
}

static void on_datagram(NiceAgent *nice, guint stream, guint component, guint length, gchar *bytes,
                        gpointer data) {
    Agent *agent = data;
    NetIce *ice = agent->ice;
    Bytes got = {.data = (const guint8 *)bytes, .length = length};
    if (length > MESH_DATAGRAM_MAX || net_stun_is(got)) {
        ice->counters->dropped++;
        return;
    }
    MeshPath path = {.kind = MESH_PATH_ICE, .agent = agent->number};
    ice->counters->received++;
    ice->handler.datagram(ice->handler.user, agent->owner, &path, got);
}

/* ---- what the loop does for an agent ---- */

static gboolean to_nice(const MeshPath *path, NiceAddress *ret_address) {
    struct sockaddr_storage address;
    net_address_to_socket(path, &address);
    nice_address_init(ret_address);
    nice_address_set_from_sockaddr(ret_address, (struct sockaddr *)&address);
    return nice_address_is_valid(ret_address);
}

static gboolean from_nice(const NiceAddress *address, MeshPath *ret_path) {
    struct sockaddr_storage socket_address = {0};
    nice_address_copy_to_sockaddr(address, (struct sockaddr *)&socket_address);
    return net_address_from_socket(&socket_address, ret_path) && net_address_is_usable(ret_path);
}

static void add_addresses(Agent *agent) {
    const GArray *addresses = agent->ice->addresses;
    for (guint i = 0; i < addresses->len; i++) {
        NiceAddress address;
        if (to_nice(&g_array_index(addresses, NetAddress, i).path, &address)) {
            nice_agent_add_local_address(agent->nice, &address);
        }
    }
}

static void use_server(Agent *agent) {
    if (agent->server < agent->server_count) {
        NiceAddress address;
        char text[NICE_ADDRESS_STRING_LEN];
        const MeshPath *server = &agent->servers[agent->server];
        if (to_nice(server, &address)) {
            nice_address_to_string(&address, text);
            g_object_set(agent->nice, "stun-server", text, "stun-server-port", (guint)server->port,
                         NULL);
        }
    }
}

static void gather(Agent *agent) {
    agent->nice = nice_agent_new_full(g_main_context_default(), NICE_COMPATIBILITY_RFC5245,
                                      NICE_AGENT_OPTION_NONE);
    g_object_set(agent->nice, "upnp", FALSE, "ice-tcp", FALSE, "controlling-mode",
                 agent->controlling, "stun-pacing-timer", PACING_MS, "stun-max-retransmissions",
                 RETRANSMISSIONS, "idle-timeout", IDLE_TIMEOUT_MS, NULL);
    agent->stream = nice_agent_add_stream(agent->nice, COMPONENT);
    add_addresses(agent);
    use_server(agent);
    g_signal_connect(agent->nice, "candidate-gathering-done", G_CALLBACK(on_gathered), agent);
    g_signal_connect(agent->nice, "component-state-changed", G_CALLBACK(on_state), agent);
    nice_agent_attach_recv(agent->nice, agent->stream, COMPONENT, g_main_context_default(),
                           on_datagram, agent);
    move_to(agent, AGENT_GATHERING, GATHER_MS);
    if (agent->ice->addresses->len == 0 ||
        !nice_agent_gather_candidates(agent->nice, agent->stream)) {
        move_to(agent, AGENT_FAILED, 0);
    }
}

static gint by_priority(gconstpointer left, gconstpointer right) {
    const NiceCandidate *a = left, *b = right;
    return a->priority < b->priority ? 1 : a->priority > b->priority ? -1 : 0;
}

static void read_candidates(const Agent *agent, NetOffer *ret_offer) {
    GSList *candidates = nice_agent_get_local_candidates(agent->nice, agent->stream, COMPONENT);
    candidates = g_slist_sort(candidates, by_priority);
    for (GSList *item = candidates; item != NULL && ret_offer->count < NET_OFFER_CANDIDATES;
         item = item->next) {
        const NiceCandidate *candidate = item->data;
        NetCandidate *offered = &ret_offer->candidates[ret_offer->count];
        offered->type = (NetCandidateType)candidate->type;
        offered->priority = candidate->priority;
        g_strlcpy(offered->foundation, candidate->foundation, sizeof offered->foundation);
        if (candidate->transport == NICE_CANDIDATE_TRANSPORT_UDP &&
            from_nice(&candidate->addr, &offered->path)) {
            ret_offer->count++;
        }
    }
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

/* Tells the offer; afterwards the agent may be gone. */
static void tell_offer(Agent *agent) {
    NetIce *ice = agent->ice;
    NetOffer offer = {.count = 0};
    guint8 bytes[MESH_OFFER_MAX];
    g_autofree char *ufrag = NULL, *password = NULL;
    nice_agent_get_local_credentials(agent->nice, agent->stream, &ufrag, &password);
    g_strlcpy(offer.ufrag, ufrag, sizeof offer.ufrag);
    g_strlcpy(offer.password, password, sizeof offer.password);
    read_candidates(agent, &offer);
    gsize length = net_offer_write(&offer, bytes, sizeof bytes);
    move_to(agent, agent->remote != NULL ? AGENT_QUEUED : AGENT_OFFERED, 0);
    ice->handler.ice_offer(ice->handler.user, agent->owner, agent->number,
                           (Bytes){.data = bytes, .length = length});
}

/* An offer that names loopback may aim at this machine's services, unless we offer it too. */
static gboolean may_check(const NetIce *ice, const NetCandidate *candidate) {
    return !net_address_is_loopback(&candidate->path) ||
           (ice->addresses->len > 0 &&
            g_array_index(ice->addresses, NetAddress, 0).rank == NET_ADDRESS_LOOPBACK);
}

static void check(Agent *agent) {
    GSList *candidates = NULL;
    for (guint i = 0; i < agent->remote->count; i++) {
        const NetCandidate *offered = &agent->remote->candidates[i];
        NiceCandidate *candidate = nice_candidate_new((NiceCandidateType)offered->type);
        candidate->component_id = COMPONENT;
        candidate->stream_id = agent->stream;
        candidate->transport = NICE_CANDIDATE_TRANSPORT_UDP;
        candidate->priority = offered->priority;
        g_strlcpy(candidate->foundation, offered->foundation, sizeof candidate->foundation);
        if (may_check(agent->ice, offered) && to_nice(&offered->path, &candidate->addr)) {
            candidates = g_slist_prepend(candidates, candidate);
        } else {
            nice_candidate_free(candidate);
        }
    }
    candidates = g_slist_reverse(candidates);
    move_to(agent, AGENT_CHECKING, TURN_MS);
    NiceAgent *nice = agent->nice;
    guint stream = agent->stream;
    nice_agent_set_remote_credentials(nice, stream, agent->remote->ufrag, agent->remote->password);
    nice_agent_set_remote_candidates(nice, stream, COMPONENT, candidates);
    g_slist_free_full(candidates, (GDestroyNotify)nice_candidate_free);
}

/* Tells up or down; afterwards the agent may be gone. */
static void tell_state(Agent *agent, gboolean up) {
    NetHandler *handler = &agent->ice->handler;
    guint owner = agent->owner;
    guint32 number = agent->number;
    if (up) {
        agent->state = AGENT_UP;
    } else {
        g_ptr_array_remove(agent->ice->agents, agent);
    }
    handler->ice_state(handler->user, owner, number, up);
}

/* Does one thing that is due; FALSE when nothing is. */
static gboolean work_once(NetIce *ice) {
    guint checking = 0;
    for (guint i = 0; i < ice->agents->len; i++) {
        checking += ((Agent *)g_ptr_array_index(ice->agents, i))->state == AGENT_CHECKING;
    }
    for (guint i = 0; i < ice->agents->len; i++) {
        Agent *agent = g_ptr_array_index(ice->agents, i);
        switch (agent->state) {
        case AGENT_NEW:
            gather(agent);
            return TRUE;
        case AGENT_GATHERED:
            tell_offer(agent);
            return TRUE;
        case AGENT_QUEUED:
            if (checking < CHECKING_COUNT) {
                check(agent);
                return TRUE;
            }
            break;
        case AGENT_CONNECTED:
            tell_state(agent, TRUE);
            return TRUE;
        case AGENT_FAILED:
            tell_state(agent, FALSE);
            return TRUE;
        case AGENT_GATHERING:
        case AGENT_OFFERED:
        case AGENT_CHECKING:
        case AGENT_LATE:
        case AGENT_UP:
            break;
        }
    }
    return FALSE;
}

static gboolean work(gpointer data) {
    NetIce *ice = data;
    while (work_once(ice)) {
    }
    g_ptr_array_set_size(ice->retired, 0);
    ice->work = 0;
    return G_SOURCE_REMOVE;
}

/* ---- the interface ---- */

NetIce *net_ice_create(NetHandler handler, NetCounters *counters) {
    NetIce *ice = g_new0(NetIce, 1);
    ice->handler = handler;
    ice->counters = counters;
    ice->agents = g_ptr_array_new_with_free_func((GDestroyNotify)agent_free);
    ice->retired = g_ptr_array_new_with_free_func(g_object_unref);
    ice->addresses = g_array_new(FALSE, FALSE, sizeof(NetAddress));
    return ice;
}

void net_ice_destroy(NetIce *ice) {
    if (ice == NULL) {
        return;
    }
    g_ptr_array_unref(ice->agents);
    g_clear_handle_id(&ice->work, g_source_remove);
    g_ptr_array_unref(ice->retired);
    g_array_unref(ice->addresses);
    g_free(ice);
}

void net_ice_addresses(NetIce *ice, const NetInterfaces *interfaces) {
    g_array_set_size(ice->addresses, 0);
    for (guint i = 0; i < interfaces->addresses->len; i++) {
        NetAddress address = g_array_index(interfaces->addresses, NetAddress, i);
        /* Two nodes on one machine meet by its other addresses too, if it has any. */
        gboolean wanted =
            address.rank != NET_ADDRESS_LOOPBACK ||
            g_array_index(interfaces->addresses, NetAddress, 0).rank == NET_ADDRESS_LOOPBACK;
        if (wanted && ice->addresses->len < MESH_ADDRESSES_MAX) {
            g_array_append_val(ice->addresses, address);
        }
    }
}

static Agent *find(const NetIce *ice, guint owner, guint32 number) {
    for (guint i = 0; i < ice->agents->len; i++) {
        Agent *agent = g_ptr_array_index(ice->agents, i);
        if (agent->owner == owner && agent->number == number) {
            return agent;
        }
    }
    return NULL;
}

/* What of an address a NAT changes: IPv4 above all. Lower is better, -1 is of no use. */
static int server_class(const NetIce *ice, const MeshPath *server) {
    gboolean fits = FALSE;
    for (guint i = 0; i < ice->addresses->len; i++) {
        const NetAddress *own = &g_array_index(ice->addresses, NetAddress, i);
        fits |= own->path.family == server->family && own->rank < NET_ADDRESS_LINK_LOCAL;
    }
    if (!fits || server->kind != MESH_PATH_KNOCK || !net_address_is_usable(server) ||
        net_address_is_loopback(server) || mesh_path_is_link_local(server)) {
        return -1;
    }
    return server->family == 6 ? 2 : net_address_is_public(server) ? 0 : 1;
}

static void choose_servers(Agent *agent, const MeshPath *servers, gsize count) {
    for (int class = 0; class <= 2; class ++) {
        for (gsize i = 0; i < count && agent->server_count < SERVERS_COUNT; i++) {
            if (server_class(agent->ice, &servers[i]) == class) {
                agent->servers[agent->server_count++] = servers[i];
            }
        }
    }
}

void net_ice_agent_start(NetIce *ice, guint owner, guint32 number, gboolean controlling,
                         const MeshPath *servers, gsize server_count) {
    net_ice_agent_stop(ice, owner, number);
    Agent *agent = g_new0(Agent, 1);
    agent->ice = ice;
    agent->owner = owner;
    agent->number = number;
    agent->controlling = controlling;
    choose_servers(agent, servers, server_count);
    move_to(agent, ice->agents->len < AGENTS_COUNT ? AGENT_NEW : AGENT_FAILED, 0);
    g_ptr_array_add(ice->agents, agent);
}

gboolean net_ice_agent_remote(NetIce *ice, guint owner, guint32 number, Bytes offer) {
    Agent *agent = find(ice, owner, number);
    NetOffer read;
    if (agent == NULL || agent->remote != NULL || !net_offer_read(offer, &read)) {
        return FALSE;
    }
    agent->remote = g_memdup2(&read, sizeof read);
    if (agent->state == AGENT_OFFERED) {
        move_to(agent, AGENT_QUEUED, 0);
    }
    return TRUE;
}

void net_ice_agent_stop(NetIce *ice, guint owner, guint32 number) {
    Agent *agent = find(ice, owner, number);
    if (agent != NULL) {
        g_ptr_array_remove(ice->agents, agent);
        work_soon(ice);
    }
}

void net_ice_agent_stop_all(NetIce *ice, guint owner) {
    for (guint i = ice->agents->len; i-- > 0;) {
        if (((Agent *)g_ptr_array_index(ice->agents, i))->owner == owner) {
            g_ptr_array_remove_index(ice->agents, i);
        }
    }
    work_soon(ice);
}

gboolean net_ice_send(NetIce *ice, guint owner, guint32 number, Bytes bytes) {
    Agent *agent = find(ice, owner, number);
    return agent != NULL && agent->nice != NULL &&
           nice_agent_send(agent->nice, agent->stream, COMPONENT, (guint)bytes.length,
                           (const char *)bytes.data) >= 0;
}
