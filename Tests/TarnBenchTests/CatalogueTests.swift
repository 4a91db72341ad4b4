import Tarn
import TarnBench
import Testing

@Suite struct CatalogueTests {
  @Test func namesAreUnique() {
    #expect(Set(Catalogue.all.map(\.name)).count == Catalogue.all.count)
    #expect(Catalogue.workload("no-such-thing") == nil)
  }

  /// What the percentages of Docs/Performance.md rest on.
  @Test(arguments: [
    ("resnet18-infer-b1", "resnet18"), ("resnet50-infer-b1", "resnet50"),
    ("resnet152-infer-b1", "resnet152"), ("vgg16-infer-b1", "vgg16"),
    ("mobilenetv2-infer-b1", "mobilenet-v2"), ("googlenet-infer-b1", "googlenet"),
    ("vit-b-16-infer-b1", "vit-b-16"),
  ])
  func operationsAreThoseOfTheNetwork(workload: String, network: String) throws {
    let entry = try Zoo.entry(network)
    let multiplyAdds = Initialization.skipped {
      entry.model().summary(inputShape: [1] + entry.inputShape).multiplyAdds
    }
    let stated = try #require(Catalogue.workload(workload)?.gigaOperations)
    #expect(abs(stated - 2 * Double(multiplyAdds) / 1e9) < 1e-3 * stated)
  }

  /// One call of each that takes a moment only.
  @Test(arguments: [
    "linear-64x784x512", "gemv-1x784x512", "softmax-4096x1000", "matmul-32-in-step",
    "relu-1024-in-step", "mlp-train-b64", "per-sample-grad-mlp-b64", "lenet-train-b128",
    "charrnn-train", "gpt-train",
  ])
  func runs(name: String) throws {
    let workload = try #require(Catalogue.workload(name))
    guard case .calls(let units, let make) = workload.kind else {
      Issue.record("\(name) is a process")
      return
    }
    #expect(units >= 1)
    #expect(throws: Never.self) { try Diagnostic.catching { make()() } }
  }

  @Test func requestsAreWrittenAndRead() {
    for text in ["measure:cold-start", "perform:cold-start"] {
      #expect(Bencher.Request(text) != nil)
    }
    for text in ["", "measure", "measure:", "sing:cold-start", "measure:no-such-thing"] {
      #expect(Bencher.Request(text) == nil)
    }
  }
}
