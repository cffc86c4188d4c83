/// The systems of the space whose databases are generated, by the names that agents' files use.
package enum Register: String, CaseIterable, Sendable {
    case individuals
    case legalEntities = "legal-entities"
    case realEstate = "real-estate"
    case eNotary = "e-notary"
    case eLicensing = "e-licensing"
    case eAkimat = "e-akimat"
    case edms
    case citizensServiceCentre = "citizens-service-centre"
    case intranet
    case gateway
    case payments
    case mobile
    case chatbots
    case portal
    case architecture

    /// What the generated database of the system holds.
    var content: any RegisterContent {
        switch self {
        case .individuals: IndividualsRegister()
        case .legalEntities: LegalEntitiesRegister()
        case .realEstate: RealEstateRegister()
        case .eNotary: ENotaryRegister()
        case .eLicensing: ELicensingRegister()
        case .eAkimat: EAkimatRegister()
        case .edms: EdmsRegister()
        case .citizensServiceCentre: CitizensServiceCentreRegister()
        case .intranet: IntranetRegister()
        case .gateway: GatewayRegister()
        case .payments: PaymentsRegister()
        case .mobile: MobileRegister()
        case .chatbots: ChatbotsRegister()
        case .portal: PortalRegister()
        case .architecture: ArchitectureRegister()
        }
    }
}

/// The tables of one system and how they are filled.
protocol RegisterContent: Sendable {
    /// `CREATE TABLE` statements.
    var tables: String { get }
    /// `CREATE INDEX` statements, run after the rows are in: building an index once is much cheaper than keeping it.
    var indexes: String { get }
    /// Tables that start empty and fill with commands of other systems: `CREATE … IF NOT EXISTS`. A register that was made before
    /// them gets them when it is prepared again.
    var workTables: String { get }
    /// Steps that `fill` will report; for progress only.
    func steps(_ population: Population) -> Int
    /// Writes every row, the same rows for the same arguments.
    func fill(_ writer: RegisterWriter) throws
}

extension RegisterContent {
    var workTables: String { "" }
}
