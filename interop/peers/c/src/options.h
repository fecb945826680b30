/* Socket types and options by their names, without ZMQ_. */
#ifndef OPTIONS_H
#define OPTIONS_H

enum kind { KIND_INT, KIND_INT64, KIND_BYTES };

struct option {
    const char *name;
    int number;
    enum kind kind;
};

/* The option of a name, or NULL. */
const struct option *option_of(const char *name);

/* The number of a socket type, or -1. */
int type_of(const char *name);

#endif
