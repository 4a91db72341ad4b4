// Linking the CPU backend is enough to have it: its target defines this function.
extern void tarn_cpu_register(void);

__attribute__((constructor)) static void tarn_register_backend(void) { tarn_cpu_register(); }
