#define KECS_STORE_IMPLEMENTATION
#include "kecs_store.h"
