/* Intrusive doubly linked list. A node is embedded in its owner; an unlinked node
 * points at itself, so list_del() twice is harmless and list_linked() answers. The head
 * is a node as well. Nothing is owned by a list. */
#ifndef TAPIR_BASE_LIST_H
#define TAPIR_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev; /* neighbours; itself when unlinked or empty */
};

#define list_entry(node, type, member) \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

#define list_each(at, head) \
    for (struct list *at = (head)->next; at != (head); at = at->next)

/* As list_each, but `at` may be unlinked (and its owner freed) in the body. */
#define list_each_safe(at, after, head)                                   \
    for (struct list *at = (head)->next, *after = at->next; at != (head); \
         at = after, after = at->next)

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_linked(const struct list *l)
{
    return l->next != l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_add_tail(struct list *head, struct list *node)
{
    node->next = head;
    node->prev = head->prev;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_add_head(struct list *head, struct list *node)
{
    list_add_tail(head->next, node);
}

static inline void list_del(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* All of `from` becomes all of `to`, which is initialised. */
static inline void list_move(struct list *to, struct list *from)
{
    list_init(to);
    if (list_empty(from))
        return;
    *to = *from;
    to->next->prev = to->prev->next = to;
    list_init(from);
}

/* Unlinks and returns the first node, or NULL. */
static inline struct list *list_pop(struct list *head)
{
    struct list *first = head->next;
    if (first == head)
        return NULL;
    list_del(first);
    return first;
}

#endif
