import Foundation
import Tarn
import TarnData
import Testing

/// Every reader on damaged files: each gives a result or a `DataError`, and no more tensors than the file has bytes for.
///
/// A few hundred mutations each are run with the tests; `TARN_FUZZ=10000` runs as many. Together with `--sanitize=address` this is
/// the fuzz target of the readers; figures are printed.
@Suite(.serialized) struct FuzzTests {
  static let rounds = ProcessInfo.processInfo.environment["TARN_FUZZ"].flatMap { Int($0) } ?? 300

  /// What tensors of a file may take in all: widened integers and shared storages twice its size, packed entries more.
  private static func room(_ count: Int, isPacked: Bool) -> Int {
    (isPacked ? 1100 : 2) * count + 1 << 21
  }

  private static func bytes(_ weights: Weights) -> Int {
    weights.all.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount }
  }

  /// Reads `rounds` mutations and prints how many were refused and the longest time.
  private func fuzz(
    _ name: String, _ mutator: FileMutator, isPacked: Bool = false, rounds: Int = Self.rounds,
    _ read: (FileBytes) throws -> Weights
  ) {
    var mutator = mutator
    var (refused, longest) = (0, Duration.zero)
    for round in 0..<rounds {
      let mutation = mutator.next()
      let file = FileBytes(mutation, name: "\(name) \(round)")
      let start = ContinuousClock.now
      do {
        let taken = Self.bytes(try read(file))
        #expect(taken <= Self.room(file.count, isPacked: isPacked), "\(file.name)")
      } catch is DataError {
        refused += 1
      } catch {
        Issue.record("\(file.name): not a DataError: \(error)")
      }
      longest = max(longest, ContinuousClock.now - start)
    }
    #expect(refused > 0)
    print("fuzz: \(name): \(rounds) files, \(refused) refused, longest \(longest)")
  }

  private func weights(_ file: FileBytes) throws -> Weights {
    try Weights(file, at: URL(fileURLWithPath: "/nowhere/fuzz"))
  }

  @Test func safetensors() throws {
    let text = try #require(savedFiles["safetensors all"])
    let whole = [UInt8](try #require(Data(base64Encoded: text)))
    fuzz("safetensors", FileMutator([whole], seed: 1)) { file in
      let opened = try Safetensors(file)
      return Weights(try opened.entries.map { ($0.name, try opened.tensor($0)) })
    }
  }

  @Test func npy() throws {
    let files = [DType.float32, .int64, .bfloat16, .bool].map { dtype in
      NPY.encode(Tensor.arange(6).reshaped([2, 3]).cast(to: dtype))
    }
    fuzz("npy", FileMutator(files, seed: 2)) { Weights([("x", try NPY.read($0))]) }
  }

  @Test func npz() throws {
    let files = try ["small.pt.expected.npz", "kinds.pt.expected.npz"].map(WeightFixtures.bytes)
    fuzz("npz", FileMutator(files, seed: 3), isPacked: true) { Weights(try NPZ.read($0)) }
    fuzz("npz entries", try .entries(files, seed: 4), isPacked: true) {
      Weights(try NPZ.read($0))
    }
  }

  @Test func torchArchives() throws {
    let names = ["kinds.pt", "kinds_4.pt", "checkpoint.pt", "small.pt", "script.pt", "unsigned.pt"]
    let files = try names.map(WeightFixtures.bytes)
    fuzz("torch zip", FileMutator(files, seed: 5)) {
      try TorchFile($0).weights(under: "")
    }
    fuzz("torch zip entries", try .entries(files, seed: 6)) {
      try TorchFile($0).weights(under: "")
    }
  }

  @Test func torchPickles() throws {
    let names = [
      "kinds_legacy.pth", "checkpoint_legacy.pth", "checkpoint_legacy_4.pth", "small_legacy.pth",
      "arrays_2.pkl", "arrays_4.pkl", "arrays_5.pkl", "hostile_system_4.pkl",
    ]
    fuzz("torch legacy", FileMutator(try names.map(WeightFixtures.bytes), seed: 7)) {
      try TorchFile($0).weights(under: "")
    }
  }

  @Test(.enabled(if: HDF5.version != nil, hdf5Missing)) func hdf5() throws {
    let names = ["types.h5", "keras_chunked.h5", "keras_cnn.weights.h5"]
    let files = try names.map(KerasFixtures.bytes)
    fuzz("hdf5", FileMutator(files, seed: 8), isPacked: true) { file in
      let opened = try KerasFile(file)
      _ = try opened.torchWeights()
      return opened.weights
    }
  }

  @Test(.enabled(if: HDF5.version != nil, hdf5Missing)) func kerasArchives() throws {
    let files = try ["keras_cnn.keras", "keras_branches.keras", "keras_sequences.keras"]
      .map(KerasFixtures.bytes)
    fuzz("keras", try .entries(files, seed: 9), isPacked: true) { file in
      let opened = try KerasFile(file)
      _ = try KerasModel(opened)
      return opened.weights
    }
  }

  @Test(.enabled(if: HDF5.version != nil, hdf5Missing)) func kerasConfigurations() throws {
    let archives = try ["keras_cnn.keras", "keras_branches.keras", "keras_sequences.keras"]
      .map(KerasFixtures.bytes)
    let opened = try archives.map { try KerasFile(FileBytes($0, name: "whole")) }
    for (i, file) in opened.enumerated() {
      let text = Array(try #require(file.configuration).utf8)
      let mutator = FileMutator([text], seed: UInt64(10 + i), keepsText: true)
      fuzz("keras configuration \(i)", mutator, rounds: Self.rounds / 3) { mutation in
        let changed = mutation.withBytes { String(decoding: $0, as: UTF8.self) }
        let model = try KerasModel(file, configuration: changed, source: mutation.name)
        return Weights(model.namedTensors)
      }
    }
  }

  @Test func mxnet() throws {
    let names = ["mxnet.params", "mxnet_versions.params"]
    fuzz("mxnet", FileMutator(try names.map(WeightFixtures.bytes), seed: 13), weights)
  }

  @Test func caffe() throws {
    let names = ["caffe.caffemodel", "caffe_old.caffemodel"]
    fuzz("caffe", FileMutator(try names.map(WeightFixtures.bytes), seed: 14), weights)
  }

  @Test func anything() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: WeightFixtures.folder.path)
    fuzz(
      "by content", FileMutator(try names.sorted().map(WeightFixtures.bytes), seed: 15),
      isPacked: true, weights)
  }
}
