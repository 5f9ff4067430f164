# Tapir: a userspace TCP/IP stack on a Linux TAP device.
#
#   make            build/tapir, build/libtapir.a, build/libtapir.so
#   make demo       the main job, in front of your eyes
#   make test       unit, simulation and live tests (make test-long: the full products)
#   make lint       format, floors, globals, purity, sizes, names, static analysis
#   make install    PREFIX= DESTDIR=
#
# CFLAGS, CC, SANITIZE=address,undefined (or thread) are honoured; each combination has a
# build directory of its own, so that they do not disturb one another.

CC       ?= cc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
SANITIZE ?=

WARN  := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
         -Wmissing-prototypes -Werror
BASE  := -std=c11 -D_GNU_SOURCE -Isrc -Iinclude -fvisibility=hidden -fno-strict-overflow
ifneq ($(SANITIZE),)
SAN   := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=all
B     := build/$(subst $(subst ,, ),_,$(subst $(comma),_,$(SANITIZE)))
else
B     := build
endif
comma := ,

LIB_SRC  := $(sort $(wildcard src/*/*.c))
TOOL_SRC := $(sort $(wildcard tools/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(B)/%.o)
TOOL_OBJ := $(TOOL_SRC:%.c=$(B)/%.o)

all: $(B)/tapir $(B)/libtapir.a $(B)/libtapir.so
.PHONY: all
