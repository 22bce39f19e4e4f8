namespace ImapDirector.Storage.Store.Mime;

/// <summary>What a message may cost its reader. Nothing is refused for being over a limit: what lies beyond is cut or left opaque.</summary>
internal static class MimeLimits
{
    /// <summary>Levels of parts, the message itself being the first. A multipart or message on the last one is not looked into.</summary>
    public const int MaxLevels = 100;

    /// <summary>Parts in all, the message itself included. From the last one on no boundary is looked for.</summary>
    public const int MaxParts = 10_000;

    /// <summary>Of a boundary only this much counts; RFC 2046 section 5.1.1 allows 70.</summary>
    public const int MaxBoundaryBytes = 80;

    /// <summary>Longer field names are nobody's.</summary>
    public const int MaxFieldNameBytes = 1000;

    /// <summary>A field's value is cut here: what ENVELOPE and BODYSTRUCTURE say of it is in memory, several times over, whenever a message comes or is looked at.</summary>
    public const int MaxFieldBytes = 1024 * 1024;

    /// <summary>The values of all fields that they tell of are cut here, those of the parts together with the message's own.</summary>
    public const int MaxFieldsBytes = 2 * 1024 * 1024;

    /// <summary>Headers of a message and all its parts together; fields behind this are not read.</summary>
    public const int MaxHeaderBytes = 50 * 1024 * 1024;

    /// <summary>Parameters of a Content-Type or Content-Disposition.</summary>
    public const int MaxParameters = 128;

    /// <summary>Addresses of a field in the ENVELOPE, group markers included.</summary>
    public const int MaxAddresses = 1000;
}
