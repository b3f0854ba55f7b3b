#include "kafka_cluster/kafka_log.h"

#include <gtest/gtest.h>
