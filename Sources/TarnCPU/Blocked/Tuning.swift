import CTarnKernels
import Foundation
import TarnCore

/// Which algorithm was fastest for each convolution, measured on this machine and remembered in a file.
///
/// `TARN_TUNE=measure` times the candidates of every convolution that the file does not have, once, and adds it;
/// `TARN_TUNE=off` uses neither measurements nor the file. Without the variable the file is used and nothing measured:
/// what is chosen, and so every bit of a result, depends on the file alone. It lies in `TARN_CACHE`, else in
/// `$XDG_CACHE_HOME/tarn` or `~/.cache/tarn`; one file for each instruction set and number of threads.
package final class Tuning: Sendable {
  package enum Mode: String, Sendable {
    case off, file, measure
  }

  private struct State {
    var choices: [String: BlockedConvolution.Algorithm] = [:]
    var loaded: String?
  }

  package static let shared = Tuning(
    mode: ProcessInfo.processInfo.environment["TARN_TUNE"].map { Mode(rawValue: $0) ?? .file }
      ?? .file)

  package let mode: Mode
  private let state = Lock(State())
  private let folder: URL
  private let threads: @Sendable () -> Int

  package init(
    mode: Mode, folder: URL = CacheFolder.url,
    threads: @escaping @Sendable () -> Int = { Machine.threads }
  ) {
    (self.mode, self.folder, self.threads) = (mode, folder, threads)
  }

  /// Where the choices for the present instruction set and threads are kept.
  package var file: URL {
    folder.appendingPathComponent("tuning-\(Machine.simdLevel)-\(threads()).txt")
  }

  /// How many convolutions have a measured choice.
  package var count: Int {
    load()
    return state.withLock { $0.choices.count }
  }

  /// The best of some candidates, all of one convolution, in the order of the rule of thumb.
  func best(of candidates: [BlockedConvolution]) -> BlockedConvolution? {
    guard let key = candidates.first?.key, mode != .off, candidates.count > 1 else {
      return candidates.first { $0.isPossible }
    }
    load()
    if let choice = state.withLock({ $0.choices[key] }),
      let known = candidates.first(where: { $0.algorithm == choice }), known.isPossible
    {
      return known
    }
    guard mode == .measure else { return candidates.first { $0.isPossible } }
    let times = candidates.filter(\.isPossible).map {
      (convolution: $0, seconds: Self.seconds($0))
    }
    guard let fastest = times.min(by: { $0.seconds < $1.seconds }), fastest.seconds < .infinity
    else { return candidates.first { $0.isPossible } }
    state.withLock { $0.choices[key] = fastest.convolution.algorithm }
    save()
    return fastest.convolution
  }

  // MARK: File

  private func load() {
    let path = file.path
    let isNew = state.withLock { state in
      defer { state.loaded = path }
      if state.loaded != path { state.choices = [:] }
      return state.loaded != path
    }
    guard isNew, let text = try? String(contentsOf: file, encoding: .utf8) else { return }
    let lines = text.split(separator: "\n").prefix(100_000)
    // A line that nobody understands is a choice that is not known.
    let pairs = lines.compactMap { line -> (String, BlockedConvolution.Algorithm)? in
      let words = line.split(separator: " ")
      guard words.count == 2, let algorithm = BlockedConvolution.Algorithm(named: words[1]) else {
        return nil
      }
      return (String(words[0]), algorithm)
    }
    state.withLock { state in
      for (key, algorithm) in pairs { state.choices[key] = algorithm }
    }
  }

  /// Written whole and renamed, so that readers never see half a file. A cache that cannot be written is no error.
  private func save() {
    let text = state.withLock { state in
      state.choices.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }.joined()
    }
    try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try? Data(text.utf8).write(to: file, options: .atomic)
  }

  // MARK: Measuring

  /// The shortest of a few runs on made-up data; infinity if the kernel fails.
  private static func seconds(_ convolution: BlockedConvolution) -> Double {
    guard case .call(let call) = convolution.op else { return .infinity }
    let shapes = convolution.bufferShapes
    let views = shapes.map { View(.buffer(0), shape: $0, dtype: .float32) }
    guard let body = BlockedKernels.body(call, Array(views.dropLast()), views[views.count - 1])
    else { return .infinity }
    let buffers = shapes.map { shape -> UnsafeMutableBufferPointer<Float> in
      let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: shape.product + 16)
      for index in buffer.indices { buffer[index] = Float(index % 17) * 0.125 - 1 }
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let addresses = buffers.map { buffer in
      let address = UInt(bitPattern: buffer.baseAddress)
      return UnsafeMutableRawPointer(bitPattern: (address + 63) / 64 * 64)
    }.compactMap { $0 }
    guard addresses.count == buffers.count else { return .infinity }
    var best = Double.infinity
    for _ in 0..<5 {
      let start = DispatchTime.now().uptimeNanoseconds
      guard (try? body(Array(addresses.dropLast()), addresses[addresses.count - 1])) != nil else {
        return .infinity
      }
      best = min(best, Double(DispatchTime.now().uptimeNanoseconds - start) * 1e-9)
    }
    return best
  }
}

extension BlockedConvolution {
  /// What the measurement depends on, without spaces.
  var key: String {
    func text(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ",") }
    let parts = [
      text(x), text(w), text(y), text(geometry.strides), text(geometry.low),
      text(geometry.dilations), "\(geometry.groups)",
    ]
    return "\(pass):" + parts.joined(separator: ":")
  }

  /// Shapes of the operands and the result, as the kernels have them.
  var bufferShapes: [[Int]] {
    let image = algorithm == .stem ? x : BlockedLayout.blockedShape(x)
    let result = BlockedLayout.blockedShape(y)
    return switch pass {
    case .forward: [image, [packedCount], result]
    case .inputGradient: [result, [packedCount], image]
    case .weightGradient: [image, result, w]
    }
  }
}

extension BlockedConvolution.Algorithm {
  init?(named name: Substring) {
    guard let match = Self.allCases.first(where: { "\($0)" == name }) else { return nil }
    self = match
  }
}
