using System.Runtime.InteropServices;

namespace ImapDirector.Network.Polling;

/// <summary>Holds a descriptor for as long as a call needs its number: nobody else's connection can have it meanwhile.</summary>
internal readonly ref struct HeldDescriptor
{
    private readonly SafeHandle _handle;

    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public HeldDescriptor(SafeHandle handle)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        (_handle, Descriptor) = (handle, (int)handle.DangerousGetHandle());
    }

    /// <summary>Its number.</summary>
    public int Descriptor { get; }

    /// <summary>Lets it go.</summary>
    public void Dispose() => _handle.DangerousRelease();
}
