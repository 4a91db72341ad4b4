import Foundation
import Tarn
import TarnData
import Testing

@Suite struct TorchTests {
  static let files = [
    "kinds.pt", "kinds_legacy.pth", "kinds_4.pt", "checkpoint.pt", "checkpoint_legacy.pth",
    "checkpoint_legacy_4.pth", "unsigned.pt", "small.pt", "small_legacy.pth",
    "small_big_endian.pt", "small_without_checksums.pt", "script.pt", "arrays_2.pkl",
    "arrays_4.pkl", "arrays_5.pkl",
  ]

  @Test(arguments: files) func whatPyTorchReads(name: String) throws {
    let all = try TorchFile(contentsOf: WeightFixtures.url(name)).weights(under: "")
    expectSame(all, try WeightFixtures.expectation(name))
  }

  @Test(arguments: ["kinds.pt", "kinds_legacy.pth"]) func elementTypes(name: String) throws {
    let weights = try Weights(contentsOf: WeightFixtures.url(name))
    for dtype in DType.allCases { #expect(weights[dtype.name]?.dtype == dtype) }
    #expect(weights["int16"]?.dtype == .int32)
    #expect(weights["scalar"]?.shape == [] && weights["empty"]?.shape == [0, 3])
  }

  @Test(arguments: ["checkpoint.pt", "checkpoint_legacy.pth", "checkpoint_legacy_4.pth"])
  func checkpoints(name: String) throws {
    let file = try TorchFile(contentsOf: WeightFixtures.url(name))
    #expect(file.modelPrefix == "state_dict.")
    #expect(file.names.contains("optimizer.state.0.exp_avg"))
    let expected = [
      "epoch": "7", "loss": "[0.5, 0.25]", "name": "tëst", "args.lr": "0.125",
      "args.layers": "[3, 4, 2]", "args.device": "cuda:1", "args.dtype": "float16",
      "counts.a": "1", "tags": "[x]", "none": "None", "optimizer.param_groups.0.lr": "0.125",
    ]
    for (key, value) in expected { #expect(file.metadata[key] == value, "\(key)") }
    let weights = try Weights(contentsOf: WeightFixtures.url(name))
    #expect(weights.count == 9 && weights.names.first == "module.0.weight")
    #expect(weights.metadata["other tensors"]?.hasPrefix("optimizer.state.0.") == true)
    expectDataError(.invalid, "did you mean 'state_dict.module.0.bias'") {
      _ = try file.tensor("state_dict.module.0.bia")
    }
  }

  @Test func formatsAreToldByContents() throws {
    let folder = try TemporaryFolder()
    for name in ["small.pt", "small_legacy.pth"] {
      let copy = folder.file("\(name).npz")
      try FileManager.default.copyItem(at: WeightFixtures.url(name), to: copy)
      #expect(try Weights(contentsOf: copy).names == ["a", "b", "c"])
    }
    let tar = [UInt8](repeating: 0, count: 257) + Array("ustar  \0".utf8) + [0, 0]
    try AtomicWrite.write(tar, to: folder.file("old.pth"))
    expectDataError(.unsupported, "tar archive", "0.1.10") {
      _ = try Weights(contentsOf: folder.file("old.pth"))
    }
  }

  @Test func sharedStoragesAreOneTensorWhereTheyAreEqual() throws {
    let weights = try Weights(contentsOf: WeightFixtures.url("kinds.pt"))
    #expect(weights["whole"]?.array(of: Int.self) == Array(0..<10))
    #expect(weights["tail"]?.array(of: Int.self) == [6, 7, 8, 9])
    #expect(weights["expanded"]?.array(of: Int.self) == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
  }

  // MARK: - Refusals

  static let refused = [
    ("hostile_system_0.pkl", "posix.system"), ("hostile_system_2.pkl", "posix.system"),
    ("hostile_system_4.pkl", "posix.system"), ("hostile_eval.pt", "__builtin__.eval"),
    ("hostile_system.pt", "posix.system"), ("hostile_system.pth", "posix.system"),
    ("whole_module.pt", "torch.nn.modules.linear.Linear"),
  ]

  @Test(arguments: refused) func namesThatAreRefused(name: String, culprit: String) throws {
    expectDataError(.unsupported, name, "byte", "'\(culprit)'", "nothing in the file was run") {
      _ = try Weights(contentsOf: WeightFixtures.url(name))
    }
    expectNothingWasRun()
  }

  @Test func objectsOfNumPyAreRefused() throws {
    expectDataError(.unsupported, "hostile_system.npz", "Python objects") {
      _ = try Weights(contentsOf: WeightFixtures.url("hostile_system.npz"))
    }
    expectNothingWasRun()
  }

  @Test func elementTypesThatAreRefused() {
    expectDataError(.unsupported, "'z'", "complex64", "view_as_real") {
      _ = try Weights(contentsOf: WeightFixtures.url("complex.pt"))
    }
  }

  static func pickle(_ program: String) -> FileBytes {
    FileBytes([0x80, 2] + program.utf8.map { $0 }, name: "made.pkl")
  }

  @Test(arguments: [
    ("", "ends in a pickle"), (".", "stack"), ("0.", "stack"), ("(.", "stack"), ("t.", "stack"),
    ("]a.", "stack"), ("}N]a.", "no list"), ("](NNu.", "no dictionary"),
    ("}(Nu.", "without a value"),
    ("h\u{7}.", "recalls"), ("K\u{1})R.", "calls what is no function"),
    ("ccollections\nOrderedDict\nNR.", "no tuple"), ("Lx\n.", "integer"), ("Fx\n.", "number"),
    ("Sx\n.", "quotes"), ("ctorch\nFloatStorage\n)R.", "type"), ("NQ.", "no storage"),
    ("X\u{7f}\u{7f}\u{7f}\u{7f}a.", "bytes wanted"), ("cx", "line without an end"),
    ("!.", "no operation"),
    ("ctorch._utils\n_rebuild_tensor_v2\n)R.", "a tensor without storage"), ("Px\n.", "text"),
  ])
  func brokenPickles(program: String, words: String) {
    #expect {
      _ = try TorchFile(Self.pickle(program))
    } throws: { error in
      guard let error = error as? DataError else { return false }
      return error.description.contains(words) && error.kind != .missing
    }
  }

  @Test func nestingAndSharingAreBounded() throws {
    // A list within itself; lists within lists; 2^40 paths to one list.
    expectDataError(.invalid, "nested more than 100 deep") {
      _ = try TorchFile(Self.pickle("]q\u{0}Na(h\u{0}e."))
    }
    let deep = String(repeating: "](", count: 200_000) + String(repeating: "e", count: 200_000)
    expectDataError(.invalid, "nested more than 100 deep") {
      _ = try TorchFile(Self.pickle(deep + "."))
    }
    var shared = "]"
    for level in 0..<40 {
      shared +=
        "q\(Unicode.Scalar(UInt8(level)))](h\(Unicode.Scalar(UInt8(level)))h\(Unicode.Scalar(UInt8(level)))e"
    }
    expectDataError(.invalid, "many more entries than it has bytes for") {
      _ = try TorchFile(Self.pickle(shared + "."))
    }
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func realFiles() throws {
    let models = try #require(realData).appendingPathComponent("models")
    let burn = try Weights(contentsOf: models.appendingPathComponent("fixtures/burn_mnist.pt"))
    #expect(burn.count == 20 && burn.all.allSatisfy { $0.tensor.count > 0 })
    let pnet = try Weights(
      contentsOf: models.appendingPathComponent("fixtures/mtcnn_pnet_legacy.pt"))
    #expect(pnet.count == 13 && pnet.elementCount == 6632)
    let resnet = try Weights(
      contentsOf: models.appendingPathComponent("cifar10-resnet20/resnet20-12fca82f.th"))
    #expect(resnet["module.conv1.weight"]?.shape == [16, 3, 3, 3])
    #expect(resnet.metadata["best_prec1"]?.hasPrefix("91.7") == true)
    let lite = try Weights(
      contentsOf: models.appendingPathComponent(
        "efficientnet-lite0/efficientnet-lite0-57934424.pth"))
    #expect(lite.count == 296)
  }

  @Test(.enabled(if: realData != nil, realDataMissing)) func aRealNetwork() throws {
    let folder = try #require(realData)
    let weights = try Weights(
      contentsOf: folder.appendingPathComponent("models/fixtures/burn_mnist.pt"))
    let golden = try Weights(
      contentsOf: folder.appendingPathComponent("golden/burn_mnist_pt_logprobs.safetensors"))
    func normalized(_ x: Tensor, _ name: String) throws -> Tensor {
      let shape = [1, -1] + [Int](repeating: 1, count: x.rank - 2)
      func laid(_ part: String) throws -> Tensor {
        try weights.tensor("\(name).\(part)").reshaped(shape)
      }
      let scale = (try laid("running_var") + 1e-5).rsqrt() * (try laid("weight"))
      return (x - (try laid("running_mean"))) * scale + (try laid("bias"))
    }
    var x = try golden.tensor("input")
    for name in ["conv1", "conv2", "conv3"] {
      let bias = try weights.tensor("\(name).bias").reshaped([1, -1, 1, 1])
      x = (x.convolved(try weights.tensor("\(name).weight")) + bias).relu()
    }
    x = try normalized(x, "norm1").flattened(from: 1)
    x = x.matmul(try weights.tensor("fc1.weight").transposed()) + (try weights.tensor("fc1.bias"))
    x = x.relu().matmul(try weights.tensor("fc2.weight").transposed())
    x = try normalized(x + (try weights.tensor("fc2.bias")), "norm2").logSoftmax()
    let difference = (x - (try golden.tensor("log_probs"))).abs().max().item()
    #expect(difference < 1e-4)
  }
}
