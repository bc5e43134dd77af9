/* SPDX-License-Identifier: MPL-2.0 */
#include "node/cli/french/french.h"

#include <stddef.h>

/* clang-format off */
const FrenchSentence french_host[] = {
    /* The host: what was asked of a meeting. */
    {"a motion has 2 to %d choices, separated by commas",
     "un scrutin propose de 2 à %d choix, séparés par des virgules"},
    {"a choice has 1 to %d bytes of text", "un choix compte de 1 à %d octets de texte"},
    {"the choice %s is given twice", "le choix %s figure deux fois"},
    {"only the founder, or who opened the motion, closes it",
     "seul le fondateur de la réunion, ou l’auteur du scrutin, peut le clore"},
    {"%s is no choice of this motion: %s", "%s n’est pas un choix de ce scrutin : %s"},
    {"this node is in %d meetings already", "ce poste participe déjà à %d réunions"},
    {"nothing can be recorded: %s", "rien ne peut être enregistré : %s"},
    {"no joining by hand has begun here", "aucun échange de codes n’a été commencé sur ce poste"},
    {"the answer is right, but its member is not reached yet: this node goes on trying, and so does "
     "theirs for ten minutes",
     "la réponse est bonne, mais ce membre n’est pas encore joint : ce poste continue d’essayer, et "
     "le sien aussi pendant dix minutes"},
    {"this is the answer to another code: the code of this node was made anew, or the answer is for "
     "someone else",
     "c’est la réponse à un autre code : celui de ce poste a été refait, ou la réponse est pour "
     "quelqu’un d’autre"},
    {"%s is the beginning of several ids: give more of it",
     "%s est le début de plusieurs identifiants : précisez davantage"},
    {"several members are meant by %s: give an id",
     "%s désigne plusieurs membres : indiquez un identifiant"},
    {"no such meeting", "cette réunion est inconnue"},
    {"no such member", "ce membre est inconnu"},
    {"no such document", "ce document est inconnu"},
    {"no such motion", "ce scrutin est inconnu"},
    {"you were expelled from the meeting “%s”", "vous avez été exclu de la réunion « %s »"},
    {"this home was copied, and the copy runs too: the others reach now one, now the other. Stop "
     "one of the two",
     "ce dossier a été copié, et la copie tourne aussi : les autres joignent tantôt l’un, tantôt "
     "l’autre. Arrêtez l’un des deux"},
    {"What it keeps for members who are away, at most:",
     "Ce qu’il garde pour les membres absents, au plus :"},
    {"this relay was expelled from its meeting", "ce relais a été exclu de sa réunion"},
    {"carries for the meeting %.8s, and can read nothing of it",
     "transporte pour la réunion %.8s, et ne peut rien en lire"},
    {"no member has answered yet: this relay goes on trying. Is the node of whoever made the ticket "
     "running, and can it be reached from here? Otherwise `maillon join TICKET --by-hand` in this "
     "home prints a code for them",
     "aucun membre n’a encore répondu : ce relais continue d’essayer. Le poste d’où vient "
     "l’invitation est-il en service, et joignable d’ici ? Sinon, `maillon join INVITATION "
     "--by-hand`, dans ce dossier, affiche un code à lui porter"},
    {"this relay carries for another meeting already: give this one a home of its own (`--home "
     "DIR`)",
     "ce relais transporte déjà pour une autre réunion : donnez à celle-ci un dossier à elle "
     "(`--home DOSSIER`)"},
    {"this relay carries for a meeting already: another one takes a home of its own (`--home DIR`)",
     "ce relais transporte déjà pour une réunion : pour une autre, il faut un autre dossier "
     "(`--home DOSSIER`)"},
    {"this relay was expelled from its meeting: only another one, in a home of its own (`--home "
     "DIR`), comes in again",
     "ce relais a été exclu de sa réunion : seul un autre, dans un dossier à lui (`--home "
     "DOSSIER`), y revient"},
    {"this home is a relay's, and in no meeting: `maillon start --relay TICKET` with a ticket made "
     "by `invite --role relay`",
     "ce dossier est celui d’un relais, sans réunion : `maillon start --relay INVITATION`, avec "
     "une invitation faite par `invite --role relay`"},
    {"this home takes part in meetings already: a relay, which takes part in none, has a home of "
     "its own (`--home DIR`)",
     "ce dossier participe déjà à des réunions : un relais, qui ne prend part à aucune, a un "
     "dossier à lui (`--home DOSSIER`)"},
    {"%s has signed entries that contradict each other",
     "%s a signé des écritures qui se contredisent"},
    {"something recorded cannot be read: %s", "un élément enregistré est illisible : %s"},
    {"%u recorded items of a meeting make no sense and are left out",
     "%u éléments enregistrés d’une réunion sont incohérents et laissés de côté"},
    {"“%s” is no good as a name: 1 to %d bytes of text, on one line",
     "« %s » ne convient pas comme nom : de 1 à %d octets de texte, sur une ligne"},
    {"the file cannot be read: %s", "le fichier est illisible : %s"},
    {"the file became shorter while it was read", "le fichier a raccourci pendant sa lecture"},
    {"%s is no file", "%s n’est pas un fichier"},
    {"%s is larger than 100 MB", "%s dépasse 100 Mo"},
    {"a part of the document is damaged on this disk",
     "une partie du document est endommagée sur ce disque"},
    {"the document is not whole here, and nobody in reach has the rest",
     "le document est incomplet ici, et aucun membre joignable n’en détient le reste"},
    {"this home is not locked: whoever copies it reads the meetings (`--passphrase-file` locks it)",
     "ce dossier n’est pas verrouillé : qui le copie lit les réunions (`--passphrase-file` le "
     "verrouille)"},
    {"%s holds no passphrase", "%s ne contient pas de phrase secrète"},
    {"%s cannot be written", "%s ne peut être écrit"},

    /* Who asks to speak, and who has voted. */
    {"ask to speak", "demander la parole"},
    {"ask no more; the chair lowers another's hand",
     "ne plus la demander ; qui préside baisse la main d’un autre"},
    {"whose: id, its beginning, or the name; one's own unless told",
     "celle de qui : identifiant, son début, ou le nom ; la sienne par défaut"},
    {"who asks to speak, in which order", "qui demande la parole, dans quel ordre"},
    {"the hand went up and down too often: wait a few seconds",
     "la main s’est levée et baissée trop souvent : attendez quelques secondes"},
    {"only the chair lowers another's hand", "seul qui préside baisse la main d’un autre"},
    {"nobody asks to speak", "personne ne demande la parole"},
    {"Asking to speak", "Demandent la parole"},
    {"has voted", "a voté"},
    {"has not voted", "n’a pas voté"},
    {NULL, NULL},
};
