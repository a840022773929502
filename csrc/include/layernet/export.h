// Symbol visibility: everything is hidden but what carries LAYERNET_API.
#pragma once

#if defined(_WIN32)
#define LAYERNET_API __declspec(dllexport)
#else
#define LAYERNET_API __attribute__((visibility("default")))
#endif
