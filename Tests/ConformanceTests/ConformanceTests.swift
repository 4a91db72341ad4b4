import Tarn
import Testing
import _TarnTestKit

@Suite struct ConformanceTests {
  static let devices = [Device.cpu, Device.reference]

  @Test(arguments: OpCase.catalogue)
  func cpuValuesEqualTheReference(_ test: OpCase) {
    for dtype in test.dtypes {
      let problem = Conformance.values(test, dtype, on: .cpu)
      #expect(problem == nil, "\(test.name) \(dtype.name): \(problem ?? "")")
    }
  }

  @Test(arguments: OpCase.catalogue.filter { $0.order > 0 }, devices)
  func derivativesAgree(_ test: OpCase, _ device: Device) {
    let problem = Conformance.derivatives(test, on: device)
    #expect(problem == nil, "\(test.name) on \(device): \(problem ?? "")")
  }

  @Test(arguments: OpCase.catalogue.filter { $0.dtypes.contains(.float64) })
  func vmapEqualsALoop(_ test: OpCase) {
    let problem = Conformance.batching(test, on: .cpu)
    #expect(problem == nil, "\(test.name): \(problem ?? "")")
  }
}
