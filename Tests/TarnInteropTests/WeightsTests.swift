import Foundation
import TarnCore
import TarnData
import Testing

import TarnInterop

@Suite struct WeightsTests {
  let weights = Weights([
    ("module.fc.weight", Tensor([1, 2] as [Float])), ("module.fc.bias", Tensor([3] as [Float])),
    ("epoch", Tensor([4] as [Int64], shape: [])),
  ])

  @Test func namesKeepTheirOrder() {
    var copy = weights
    #expect(copy.names == ["module.fc.weight", "module.fc.bias", "epoch"])
    copy["module.fc.bias"] = nil
    copy["new"] = Tensor([1] as [Float])
    copy["epoch"] = Tensor([5] as [Int64])
    #expect(copy.names == ["module.fc.weight", "epoch", "new"])
    #expect(copy["epoch"]?.array(of: Int.self) == [5])
    copy["never there"] = nil
    #expect(copy.count == 3 && weights.count == 3)
    #expect(weights.elementCount == 4)
  }

  @Test func prefixes() {
    let bare = weights.strippingPrefix("module.")
    #expect(bare.names == ["fc.weight", "fc.bias"])
    #expect(bare.prefixed("module.").names == ["module.fc.weight", "module.fc.bias"])
    #expect(bare["fc.bias"]?.array(of: Float.self) == [3])
  }

  @Test func wrappers() {
    let wrapped = Weights([
      ("_orig_mod.module.model.fc", Tensor([1] as [Float])),
      ("_orig_mod.module.model.model.x", Tensor([2] as [Float])),
    ])
    #expect(wrapped.strippingWrappers().names == ["fc", "model.x"])
    #expect(wrapped.strippingWrappers(unless: ["model.fc"]).names == ["model.fc", "model.model.x"])
    #expect(weights.strippingWrappers().names == weights.names)
    #expect(Weights([("model.", Tensor([1] as [Float]))]).strippingWrappers().names == ["model."])
    #expect(Weights().strippingWrappers().count == 0)
  }

  @Test func nearNames() {
    expectDataError(.invalid, "did you mean 'module.fc.weight'") {
      _ = try weights.tensor("modul.fc.weigth")
    }
    expectDataError(.invalid, "no tensor 'x'") { _ = try weights.tensor("x") }
  }

  @Test func formatsAreToldByContents() throws {
    let folder = try TemporaryFolder()
    let bare = weights.strippingPrefix("module.")
    try bare.write(to: folder.file("a.safetensors"))
    try bare.write(to: folder.file("a.npz"))
    try NPY.write(Tensor([1, 2] as [Float]), to: folder.file("a.npy"))
    for name in ["a.safetensors", "a.npz"] {
      let wrongName = folder.file("\(name).bin")
      try FileManager.default.moveItem(at: folder.file(name), to: wrongName)
      let back = try Weights(contentsOf: wrongName)
      #expect(Set(back.names) == ["fc.weight", "fc.bias"])
      #expect(back["fc.weight"]?.array(of: Float.self) == [1, 2])
    }
    #expect(try Weights(contentsOf: folder.file("a.npy")).names == ["a"])
    try AtomicWrite.write("not weights at all", to: folder.file("b.txt"))
    expectDataError(.unsupported, "b.txt", "no known file of weights") {
      _ = try Weights(contentsOf: folder.file("b.txt"))
    }
    expectDataError(.missing, "c.npz") { _ = try Weights(contentsOf: folder.file("c.npz")) }
    expectDataError(.unwritable, "end it in") { try bare.write(to: folder.file("c.txt")) }
  }

  @Test func description() {
    #expect(weights.description.contains("3 tensors, 4 elements"))
    #expect(weights.description.contains("module.fc.bias    float32 [1]"))
  }
}

@Suite struct LoadReportTests {
  let weights = Weights(
    [
      ("conv.weight", Tensor.zeros([4, 1, 3, 3])), ("head.weight", Tensor.zeros([10, 4])),
      ("bn.num_batches", Tensor.zeros([])), ("fc.bais", Tensor.zeros([2])),
    ], source: "a.safetensors")
  let wanted: [(name: String, shape: [Int])] = [
    ("conv.weight", [4, 1, 3, 3]), ("head.weight", [2, 4]), ("fc.bias", [2]), ("head.bias", [2]),
  ]

  @Test func everythingAtOnce() throws {
    let report = LoadReport(expected: wanted, weights: weights)
    #expect(report.loaded == ["conv.weight"])
    #expect(report.missing == ["fc.bias", "head.bias"])
    #expect(report.unused == ["bn.num_batches", "fc.bais"])
    #expect(
      report.mismatched == [.init(name: "head.weight", expected: [2, 4], found: [10, 4])])
    #expect(!report.isComplete)
    let text = report.description
    for words in [
      "a.safetensors: 1 loaded, 2 missing", "fc.bias  (did you mean 'fc.bais'?)",
      "head.weight: the model has [2, 4], the weights [10, 4]", "bn.num_batches",
    ] { #expect(text.contains(words), "\(text)") }
    let copy = try JSONDecoder().decode(LoadReport.self, from: JSONEncoder().encode(report))
    #expect(copy == report)
  }

  @Test func whatMayStay() {
    let report = LoadReport(expected: wanted, weights: weights) { $0.hasPrefix("head.") }
    #expect(report.kept == ["head.weight", "head.bias"])
    #expect(report.missing == ["fc.bias"] && report.mismatched.isEmpty)
    let all = LoadReport(expected: weights.all.map { ($0.name, $0.tensor.shape) }, weights: weights)
    #expect(all.isComplete)
  }
}
