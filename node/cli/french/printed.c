/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/french/french.h"

#include <stddef.h>

/* clang-format off */
const FrenchSentence french_printed[] = {
    /* What is printed of an answer. */
    {"in no meeting: `maillon meeting create TITLE` or `maillon join TICKET`",
     "aucune réunion : `maillon meeting create INTITULÉ` ou `maillon join INVITATION`"},
    {"Meetings", "Réunions"},
    {"Members", "Membres"},
    {"%lld member", "%lld membre"},
    {"a meeting this relay carries for", "réunion pour laquelle ce relais transporte"},
    {"this ticket lets a relay in: `maillon start --relay TICKET`, in a home of its own. It carries "
     "for the meeting, and keeps what is sealed for members who are away; it can read nothing, and "
     "neither speaks nor votes",
     "cette invitation fait entrer un relais : `maillon start --relay INVITATION`, dans un dossier "
     "à lui. Il transporte pour la réunion, et garde pour les absents ce qui est scellé ; il ne "
     "peut rien lire, ne parle ni ne vote"},
    {"%lld members", "%lld membres"},
    {"up", "en ligne"},
    {"connecting", "connexion en cours"},
    {"down", "hors ligne"},
    {"direct", "en direct"},
    {"relayed", "relayé"},
    {", %lld ms, %s %% lost, %lld kbit/s", ", %lld ms, %s %% de pertes, %lld kbit/s"},
    {"founder", "fondateur"},
    {"member", "membre"},
    {"guest", "invité"},
    {"observer", "observateur"},
    {"relay", "relais"},
    {", you", ", vous"},
    {", expelled", ", exclu"},
    {", has signed contradicting entries", ", a signé des écritures contradictoires"},
    {", %lld %% here", ", %lld %% reçus"},
    {"%lld.%lld", "%lld,%lld"},
    {"%lld B", "%lld o"},
    {"%s kB", "%s ko"},
    {"%s MB", "%s Mo"},
    {"open", "ouvert"},
    {"closed", "clos"},
    {"void", "annulé"},
    {"tie", "partage égal des voix"},
    {"none", "aucun suffrage"},
    {"Links", "Liaisons"},
    {"  %lld bit/s, %lld ms, %s %% lost; %lld ms waiting here, %lld ms on the way\n",
     "  %lld bit/s, %lld ms, %s %% de pertes ; %lld ms d’attente ici, %lld ms en route\n"},
    {"      sent %lld B, received %lld B; %lld packets, %lld lost; %lld messages given up, too late to "
     "be sent\n",
     "      émis %lld o, reçus %lld o ; %lld paquets, %lld perdus ; %lld messages abandonnés, trop tard "
     "pour partir\n"},
    {"  nothing", "  rien"},
    {"Sent from here", "Émis d’ici"},
    {"  %s, %lld bit/s, %lld bit/s on the line\n", "  %s, %lld bit/s, %lld bit/s sur la ligne\n"},
    {"Voices heard", "Voix entendues"},
    {"  %lld frames: %lld in time, %lld late, %lld lost, %lld concealed; %lld ms\n",
     "  %lld trames : %lld à temps, %lld en retard, %lld perdues, %lld masquées ; %lld ms\n"},
    {"Pictures seen", "Images reçues"},
    {"  %s, %lld pictures: %lld in time, %lld late, %lld lost, %lld shown; %lld ms\n",
     "  %s, %lld images : %lld à temps, %lld en retard, %lld perdues, %lld montrées ; %lld ms\n"},
    {"Counters", "Compteurs"},
    {NULL, NULL},
};
