import CTarnDNN
import CTarnKernels
import Foundation

/// What the CPU engine found on this machine, and how it is set.
///
/// ```swift
/// Machine.threads = 4
/// print(Machine.simdLevel)  // avx512
/// ```
public enum Machine {
  /// The kernels in use: `avx512`, `avx2` or `portable`.
  public static var simdLevel: String { String(cString: tarn_simd_name()) }

  /// Threads that share the work of one operation. Results do not depend on it.
  ///
  /// It begins as `TARN_THREADS`, else as the number of cores this process may use; 0 restores that.
  public static var threads: Int {
    get { Int(tarn_threads()) }
    set { tarn_set_threads(Int32(clamping: max(0, newValue))) }
  }

  /// What was found of oneDNN, in words: its version, or why it is not used and what to install.
  ///
  /// The library is optional and opened at run time; `TARN_ONEDNN=off` turns it off.
  public static var oneDNN: String { String(cString: tarn_dnn_state()) }

  /// The version of oneDNN in use; nil if none is.
  public static var oneDNNVersion: String? {
    tarn_dnn_works() == 1 ? String(cString: tarn_dnn_version()) : nil
  }

  /// Whether convolutions may go by Winograd's minimal filtering: about twice as fast, with errors of some 1e-6 of the
  /// largest result where direct sums have some 3e-7. `TARN_WINOGRAD=off` turns it off for a process.
  public static let allowsWinograd =
    ProcessInfo.processInfo.environment["TARN_WINOGRAD"] != "off"

  /// Convolutions whose algorithm was measured on this machine: `TARN_TUNE=measure` measures those that a program
  /// meets and keeps the choices in a file, `TARN_TUNE=off` ignores the file.
  public static var tunedConvolutions: Int { Tuning.shared.count }

  /// Memory that tensors hold now, and the most they held at once, in bytes.
  public static var tensorMemory: (used: Int, peak: Int) { CPUBackend.shared.allocator.usage }

  /// What of the processor's abilities matters to the kernels: `avx2`, `fma`, ….
  public static var features: [String] {
    let found = tarn_cpu_features()
    let names: [(tarn_cpu_feature, String)] = [
      (TARN_CPU_AVX2, "avx2"), (TARN_CPU_FMA, "fma"), (TARN_CPU_F16C, "f16c"),
      (TARN_CPU_AVX512F, "avx512f"), (TARN_CPU_AVX512BW, "avx512bw"),
      (TARN_CPU_AVX512DQ, "avx512dq"), (TARN_CPU_AVX512VL, "avx512vl"),
      (TARN_CPU_AVX512_BF16, "avx512_bf16"), (TARN_CPU_AVX512_VNNI, "avx512_vnni"),
      (TARN_CPU_NEON, "neon"),
    ]
    return names.filter { found & $0.0.rawValue != 0 }.map(\.1)
  }
}
